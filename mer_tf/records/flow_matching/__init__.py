"""Which flow recipe made somebody's saved flow images?"""
