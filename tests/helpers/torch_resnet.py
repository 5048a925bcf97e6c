"""ResNet-50 of VGGFace2 in PyTorch, by the names and geometry of the published state dicts: the reference of ours."""

import torch
from torch import nn

STAGES = ((2, 64, 3), (3, 128, 4), (4, 256, 6), (5, 512, 3))


class ResNet50(nn.Module):
    """RGB minus the mean (B, 3, 224, 224) -> (B, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self._add("conv1_7x7_s2", 3, 64, 7, 2)
        entering = 64
        for stage, width, blocks in STAGES:
            for block in range(1, blocks + 1):
                name, stride = f"conv{stage}_{block}", 2 if stage > 2 and block == 1 else 1
                self._add(f"{name}_1x1_reduce", entering, width, 1, stride)
                self._add(f"{name}_3x3", width, width, 3, 1)
                self._add(f"{name}_1x1_increase", width, 4 * width, 1, 1)
                if block == 1:
                    self._add(f"{name}_1x1_proj", entering, 4 * width, 1, stride)
                entering = 4 * width

    def _add(self, name: str, entering: int, leaving: int, kernel: int, stride: int) -> None:
        self.add_module(name, nn.Conv2d(entering, leaving, kernel, stride, padding=kernel // 2, bias=False))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(leaving))

    def _run(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return self.get_submodule(f"{name}_bn")(self.get_submodule(name)(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self._run("conv1_7x7_s2", x)))
        for stage, _, blocks in STAGES:
            for block in range(1, blocks + 1):
                name = f"conv{stage}_{block}"
                beside = self._run(f"{name}_1x1_proj", x) if block == 1 else x
                for part in ("1x1_reduce", "3x3"):
                    x = torch.relu(self._run(f"{name}_{part}", x))
                x = torch.relu(self._run(f"{name}_1x1_increase", x) + beside)
        return x.mean((2, 3))
