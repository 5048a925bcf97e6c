(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const names = Object.keys(data.regions);
  const groups = [...new Set(Object.values(data.regions))];
  const SVG = "http://www.w3.org/2000/svg";
  const [LEFT, RIGHT, LANE, ROW] = [52, 6, 26, 44];
  const views = new Map();
  const marks = new Map();
  let chosen = null;

  function svg(name, attributes, parent, text) {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text !== undefined) made.textContent = text;
    parent?.append(made);
    return made;
  }

  function html(name, properties, parent) {
    const made = Object.assign(document.createElement(name), properties);
    parent?.append(made);
    return made;
  }

  function curveOf(track) {
    track.values ??= Uint8Array.from(atob(track.curve), (c) => c.charCodeAt(0));
    return track.values;
  }

  function sample(track, frame, region) {
    const place = Math.floor((frame - track.start) / track.every);
    return (curveOf(track)[place * names.length + region] ?? 0) * data.step;
  }

  // One view a video: its tracks share the part of time that is shown.

  class View {
    constructor(section) {
      this.number = Number(section.dataset.video);
      this.video = data.videos[this.number];
      this.section = section;
      this.player = section.querySelector("video");
      this.length = Math.max(this.video.frames / this.video.fps, 0.1);
      [this.from, this.to] = [0, this.length];
      this.loop = null;
      const lines = section.querySelector(".lines");
      this.lines = data.tracks.filter((t) => t.video === this.number).map((track) => new Line(this, track, lines));
      section.querySelectorAll("[data-zoom]").forEach((b) => b.addEventListener("click", () => this.zoom(b.dataset.zoom)));
      section.querySelector(".add").addEventListener("click", () => {
        const frame = this.frame();
        const reach = Math.max(1, Math.round(0.1 * this.video.fps));
        const [low, high] = [this.video.first, this.video.first + this.video.frames - 1];
        const line = this.lines.find((l) => l.holds(frame - low)) ?? this.lines[0];
        const span = { onset: Math.max(low, frame - reach), apex: frame, offset: Math.min(high, frame + reach) };
        choose(add(this.number, line.track.person, span), true);
        change({ mark: "accepted" });
      });
      if (this.player) this.watch();
    }

    watch() {
      const { player } = this;
      const failed = () => {
        this.section.querySelector(".problem").hidden = false;
        player.hidden = true;
        this.section.querySelector(".slow").disabled = true;
      };
      player.addEventListener("error", failed);
      player.addEventListener("loadedmetadata", () => { if (!player.videoWidth) failed(); });
      if (player.error) failed();
      const step = () => {
        if (this.loop && (player.currentTime >= this.loop[1] || player.currentTime < this.loop[0] - 0.5)) player.currentTime = this.loop[0];
        this.now();
        if (!player.paused) requestAnimationFrame(step);
      };
      player.addEventListener("play", () => requestAnimationFrame(step));
      player.addEventListener("seeked", () => this.now());
      player.addEventListener("pause", () => this.now());
      this.section.querySelector(".slow").addEventListener("click", () => this.slow(!this.loop));
    }

    slow(on) {
      const button = this.section.querySelector(".slow");
      if (on && chosen !== null && data.events[chosen].video === this.number) {
        const [onset, , offset] = placesOf(chosen);
        const { fps, first } = this.video;
        this.loop = [Math.max(0, (onset - first) / fps - 0.1), (offset - first + 1) / fps + 0.1];
        this.player.playbackRate = 0.25;
        this.player.currentTime = this.loop[0];
        this.player.play()?.catch(() => {});
      } else {
        this.loop = null;
        this.player.playbackRate = 1;
        this.player.pause();
      }
      button.setAttribute("aria-pressed", String(Boolean(this.loop)));
      button.textContent = this.loop ? "Stop the loop" : "Loop the event at ¼ speed";
    }

    now() {
      const time = this.player.currentTime;
      this.section.querySelector(".now").textContent = `${time.toFixed(2)} s, frame ${Math.floor(time * this.video.fps + 1e-6) + this.video.first}`;
      this.lines.forEach((line) => line.playhead(time));
    }

    // The moment the reader looks at: of the player, else of the line, else the middle.
    moment() {
      if (this.player && !this.player.hidden) return this.player.currentTime;
      return this.lines.find((line) => line.at !== undefined)?.at ?? (this.from + this.to) / 2;
    }

    frame() {
      return Math.min(Math.floor(this.moment() * this.video.fps + 1e-6), this.video.frames - 1) + this.video.first;
    }

    jump(time) {
      if (!this.player || this.player.hidden) return;
      this.player.currentTime = Math.min(Math.max(0, time), this.length);
    }

    show(from, to) {
      const least = Math.min(this.length, 10 / this.video.fps);
      const wide = Math.min(this.length, Math.max(least, to - from));
      this.from = Math.min(Math.max(0, from), this.length - wide);
      this.to = this.from + wide;
      this.lines.forEach((line) => line.draw());
    }

    middle() {
      const own = chosen !== null && data.events[chosen].video === this.number ? data.events[chosen].row : null;
      const at = own ? (own.onset_seconds + own.offset_seconds) / 2 : -1;
      return at >= this.from && at <= this.to ? at : (this.from + this.to) / 2;
    }

    zoom(how, at = this.middle()) {
      const wide = this.to - this.from;
      if (how === "all") this.show(0, this.length);
      if (how === "in") this.show(at - (at - this.from) / 2, at + (this.to - at) / 2);
      if (how === "out") this.show(at - 2 * (at - this.from), at + 2 * (this.to - at));
      if (how === "earlier") this.show(this.from - wide / 2, this.to - wide / 2);
      if (how === "later") this.show(this.from + wide / 2, this.to + wide / 2);
    }
  }

  // One line a track: a lane of events above a row of curves for each group of regions.

  class Line {
    constructor(view, track, parent) {
      [this.view, this.track] = [view, track];
      this.find();
      const figure = html("figure", { className: "timeline" }, parent);
      const { fps } = view.video;
      const end = (track.start + track.frames) / fps;
      html("h3", { textContent: `Person ${track.person}, ${(track.start / fps).toFixed(1)} to ${end.toFixed(1)} s` }, figure);
      if (track.abstained) html("p", { className: "absent", textContent: "This person's noise is too high: nothing is called an expression here." }, figure);
      this.picture = svg("svg", { tabindex: 0, role: "img", "aria-label": `Displacement of the regions of person ${track.person} over time; arrow keys move the line, + and - zoom, Enter jumps there` }, figure);
      this.readout = html("p", { className: "readout small", textContent: "Point at the curves, or use the arrow keys: values appear here." }, figure);
      this.height = LANE + ROW * groups.length + 18;
      const peaks = this.events.map((k) => data.events[k].row.peak_px).sort((a, b) => a - b);
      this.top = Math.min(9, Math.max(1.5, 1.15 * (peaks[Math.floor(0.95 * peaks.length)] ?? 0)));
      this.listen();
    }

    find() {
      this.events = data.events.map((e, k) => k).filter((k) => this.owns(data.events[k]));
    }

    owns(event) {
      const first = data.videos[this.track.video].first;
      return event.video === this.track.video && event.row.track === this.track.person
        && this.holds(event.row.apex - first);
    }

    holds(frame) {
      return frame >= this.track.start && frame < this.track.start + this.track.frames;
    }

    get width() { return Math.max(this.picture.clientWidth, 200); }
    x(time) { return LEFT + (time - this.view.from) / (this.view.to - this.view.from) * (this.width - LEFT - RIGHT); }
    time(x) { return this.view.from + (x - LEFT) / (this.width - LEFT - RIGHT) * (this.view.to - this.view.from); }

    draw() {
      const root = this.picture;
      root.setAttribute("height", this.height);
      root.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      root.replaceChildren();
      this.axis(root);
      groups.forEach((group, k) => this.row(root, group, LANE + ROW * k));
      this.bars(root);
      this.head = svg("line", { class: "playhead", y1: 0, y2: this.height - 16, visibility: "hidden" }, root);
      this.cursor = svg("line", { class: "cursor", y1: 0, y2: this.height - 16, visibility: "hidden" }, root);
      this.zone = svg("rect", { class: "zone", y: 0, height: this.height - 16, width: 0 }, root);
      if (this.view.player && !this.view.player.hidden) this.playhead(this.view.player.currentTime);
    }

    axis(root) {
      const wide = this.view.to - this.view.from;
      const wish = wide / Math.max(3, this.width / 110);
      const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((s) => s >= wish) ?? 3600;
      const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
      for (let t = Math.ceil(this.view.from / step) * step; t <= this.view.to + 1e-9; t += step) {
        svg("text", { x: this.x(t), y: this.height - 3, "text-anchor": this.x(t) > this.width - 24 ? "end" : "middle" }, root, `${t.toFixed(digits)} s`);
        svg("line", { class: "grid", x1: this.x(t), x2: this.x(t), y1: 0, y2: this.height - 16 }, root);
      }
    }

    row(root, group, y) {
      const { track, view } = this;
      const fps = view.video.fps;
      const base = y + ROW - 3;
      const up = (ROW - 8) / this.top;
      svg("text", { x: 0, y: base - 12 }, root, group);
      svg("text", { x: 0, y: base }, root, `${this.top.toFixed(1)} px`);
      svg("line", { class: "base", x1: LEFT, x2: this.width - RIGHT, y1: base, y2: base }, root);
      const own = names.map((n, r) => r).filter((r) => data.regions[names[r]] === group);
      const noise = own.map((r) => Math.max(track.noise[r], 0.075)).sort((a, b) => a - b)[own.length >> 1];
      const level = base - Math.min(this.top, data.clear * noise) * up;
      svg("line", { class: "level", x1: LEFT, x2: this.width - RIGHT, y1: level, y2: level }, root);
      const low = Math.max(track.start, Math.floor(view.from * fps));
      const high = Math.min(track.start + track.frames - 1, Math.ceil(view.to * fps));
      const each = Math.max(track.every, Math.floor((high - low) / (this.width - LEFT)));
      own.forEach((region, k) => {
        const points = [];
        for (let f = low; f <= high; f += each) {
          let most = 0;
          for (let g = f; g < f + each && g <= high; g += track.every) most = Math.max(most, sample(track, g, region));
          points.push(`${this.x(f / fps).toFixed(1)},${(base - Math.min(this.top, most) * up).toFixed(1)}`);
        }
        if (points.length) svg("path", { class: `series-${k}`, d: `M${points.join("L")}` }, root);
      });
    }

    bars(root) {
      const { fps, first } = this.view.video;
      this.events.forEach((k) => {
        const { row } = data.events[k];
        const [onset, , offset] = placesOf(k);
        const [a, b] = [this.x((onset - first) / fps), this.x((offset - first + 1) / fps)];
        if (b < LEFT || a > this.width) return;
        const x = Math.max(LEFT, a);
        const size = { x, width: Math.max(3, Math.min(b, this.width) - x) };
        if (k === chosen) svg("rect", { class: "shade", y: 0, height: this.height - 16, ...size }, root);
        const tall = row.verdict === "rejected" ? { y: 10, height: 8 } : { y: 3, height: 15 };
        const bar = svg("rect", { class: `event ${row.verdict}${k === chosen ? " chosen" : ""}`, "data-event": k, ...tall, ...size }, root);
        svg("title", {}, bar, `${row.verdict}${row.cause ? `, ${row.cause}` : ""}: frames ${onset} to ${offset}`);
      });
      svg("text", { x: 0, y: 15 }, root, "events");
    }

    playhead(time) {
      if (!this.head) return;
      const x = this.x(time);
      const seen = x >= LEFT && x <= this.width - RIGHT;
      this.head.setAttribute("x1", x);
      this.head.setAttribute("x2", x);
      this.head.setAttribute("visibility", seen ? "visible" : "hidden");
    }

    point(time) {
      const { fps, first } = this.view.video;
      this.at = Math.min(Math.max(time, this.view.from), this.view.to);
      const x = this.x(this.at);
      this.cursor.setAttribute("x1", x);
      this.cursor.setAttribute("x2", x);
      this.cursor.setAttribute("visibility", "visible");
      const frame = Math.floor(this.at * fps + 1e-6);
      const { track } = this;
      const where = `${this.at.toFixed(2)} s, frame ${frame + first}`;
      if (!this.holds(frame)) {
        this.readout.textContent = `${where}: not followed`;
        return;
      }
      const said = groups.map((group) => {
        const own = names.map((n, r) => r).filter((r) => data.regions[names[r]] === group);
        const best = own.reduce((a, b) => (sample(track, frame, b) > sample(track, frame, a) ? b : a));
        const size = sample(track, frame, best);
        return `${names[best].replaceAll("_", " ")} ${size.toFixed(2)} px (${(size / Math.max(track.noise[best], 0.075)).toFixed(1)} noises)`;
      });
      this.readout.textContent = `${where}: ${said.join(" · ")}`;
    }

    jump(time) {
      const { fps, first } = this.view.video;
      const frame = time * fps + first;
      const near = this.events.filter((k) => { const [a, , b] = placesOf(k); return a <= frame && frame <= b + 1; });
      const best = near.find((k) => data.events[k].row.verdict !== "rejected") ?? near[0];
      this.view.jump(time);
      if (best !== undefined) choose(best);
    }

    listen() {
      const root = this.picture;
      let pressed = null;
      const local = (event) => event.clientX - root.getBoundingClientRect().left;
      root.addEventListener("pointermove", (event) => {
        this.point(this.time(local(event)));
        if (pressed === null) return;
        const [a, b] = [pressed, local(event)].sort((p, q) => p - q);
        this.zone.setAttribute("x", a);
        this.zone.setAttribute("width", b - a);
      });
      root.addEventListener("pointerdown", (event) => { if (event.button === 0) pressed = local(event); });
      root.addEventListener("pointerup", (event) => {
        if (pressed === null) return;
        const [a, b] = [pressed, local(event)].sort((p, q) => p - q);
        const bar = event.target.closest("[data-event]");
        pressed = null;
        this.zone.setAttribute("width", 0);
        if (b - a > 12) this.view.show(this.time(a), this.time(b));
        else if (bar) { this.view.jump(this.time(b)); choose(Number(bar.dataset.event)); }
        else this.jump(this.time(b));
      });
      ["pointercancel", "pointerleave"].forEach((name) => root.addEventListener(name, () => { pressed = null; this.zone.setAttribute("width", 0); }));
      root.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.shiftKey) return;
        event.preventDefault();
        this.view.zoom(event.deltaY < 0 || event.deltaX < 0 ? "in" : "out", this.time(local(event)));
      }, { passive: false });
      root.addEventListener("keydown", (event) => {
        const step = event.shiftKey ? (this.view.to - this.view.from) / 20 : 1 / this.view.video.fps;
        const at = this.at ?? this.view.from;
        const keys = {
          ArrowLeft: () => this.point(at - step), ArrowRight: () => this.point(at + step), Enter: () => this.jump(at),
          "+": () => this.view.zoom("in", at), "=": () => this.view.zoom("in", at), "-": () => this.view.zoom("out", at),
          PageUp: () => this.view.zoom("earlier"), PageDown: () => this.view.zoom("later"), Home: () => this.view.zoom("all"),
        };
        if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        keys[event.key]();
        if (this.at !== undefined) this.point(this.at);
      });
    }
  }

  // The event that is chosen: its film, its pictures, its mark.

  const panel = document.getElementById("chosen");
  const canvas = document.getElementById("film");
  const scrub = document.getElementById("scrub");
  const speed = document.getElementById("speed");
  const play = document.getElementById("play");
  const form = document.getElementById("marks");
  const film = { image: new Image(), frames: [], side: 192, place: 0, playing: true, before: 0 };

  function placesOf(k) {
    const { row } = data.events[k];
    const mark = marks.get(k);
    return mark ? [mark.onset, mark.apex, mark.offset] : [row.onset, row.apex, row.offset];
  }

  function choose(k, focus = false) {
    chosen = k;
    const event = data.events[k];
    const view = views.get(event.video);
    view.section.querySelector(".here").append(panel);
    panel.hidden = false;
    document.querySelectorAll("tr[data-event]").forEach((row) => row.classList.toggle("chosen", Number(row.dataset.event) === k));
    const { row } = event;
    document.getElementById("chosen-title").textContent = `${row.verdict[0].toUpperCase()}${row.verdict.slice(1)} event of person ${row.track} at ${row.onset_seconds.toFixed(2)} s${row.cause ? `: ${row.cause}` : ""}`;
    const said = [`${row.frames} frames`];
    if (row.peak_px) said.push(`peak ${row.peak_px.toFixed(2)} px, ${row.peak_noise.toFixed(1)} times the noise`);
    if (row.regions) said.push(row.regions.split(" ").join(", ").replaceAll("_", " "));
    if (row.suggested_aus) said.push(`such motion suggests AU ${row.suggested_aus}`);
    document.getElementById("chosen-facts").textContent = `${said.join("; ")}.${event.answer.text ? ` ${event.answer.long ?? event.answer.text}` : ""}`;
    showFilm(event);
    showPictures(event);
    fill();
    const slow = view.section.querySelector(".slow");
    views.forEach((other) => { if (other.loop) other.slow(false); });
    if (slow) slow.disabled = view.player.hidden;
    view.jump(row.onset_seconds);
    const middle = (row.onset_seconds + row.offset_seconds) / 2;
    if (middle < view.from || middle > view.to) view.show(middle - (view.to - view.from) / 2, middle + (view.to - view.from) / 2);
    else view.lines.forEach((line) => line.draw());
    if (focus) panel.scrollIntoView({ block: "nearest" });
  }

  function showFilm(event) {
    film.frames = event.film.frames ?? [];
    film.side = event.film.side ?? 192;
    film.place = 0;
    film.image = new Image();
    canvas.closest(".film").hidden = !film.frames.length;
    canvas.width = canvas.height = film.side;
    scrub.max = Math.max(0, film.frames.length - 1);
    if (film.frames.length) film.image.src = event.film.source;
    film.image.addEventListener("load", paint);
  }

  function paint() {
    const { image, frames, side, place } = film;
    if (!frames.length || !image.complete) return;
    const brush = canvas.getContext("2d");
    brush.drawImage(image, place * side, 0, side, side, 0, 0, side, side);
    const [onset, apex, offset] = placesOf(chosen);
    const frame = frames[place];
    const part = frame === apex ? "apex" : frame === onset ? "onset" : frame === offset ? "offset" : frame > onset && frame < offset ? "event" : "";
    if (part) {
      brush.fillStyle = "rgba(0,0,0,.7)";
      brush.fillRect(0, side - 18, 8 + brush.measureText(part).width + 6, 18);
      brush.font = "13px sans-serif";
      brush.fillStyle = "#fff";
      brush.fillText(part, 6, side - 5);
    }
    document.getElementById("frame").textContent = `${frame}${part ? `, ${part}` : ""}`;
    scrub.value = place;
  }

  function tick(time) {
    const fps = chosen === null ? 30 : data.events[chosen].frame_rate;
    const step = film.frames.length > 1 ? (film.frames.at(-1) - film.frames[0]) / (film.frames.length - 1) : 1;
    const wait = 1000 * step / (fps * Number(speed.value));
    if (film.playing && !panel.hidden && film.frames.length > 1 && time - film.before >= wait) {
      film.before = time;
      film.place = (film.place + 1) % film.frames.length;
      paint();
    }
    requestAnimationFrame(tick);
  }

  function playing(on) {
    film.playing = on;
    play.textContent = on ? "Pause" : "Play";
  }

  function showPictures(event) {
    const home = document.getElementById("pictures");
    home.replaceChildren();
    Object.entries(event.pictures).forEach(([name, source]) => {
      const figure = html("figure", { className: /less|motion/.test(name) ? "extra" : "" }, home);
      html("img", { src: source, alt: name, width: 192, height: 192 }, figure);
      html("figcaption", { textContent: name }, figure);
    });
    if (event.heat.source) {
      const figure = html("figure", { className: "extra heat" }, home);
      html("img", { src: event.heat.source, alt: event.heat.text, width: 192, height: 192 }, figure);
      html("figcaption", { textContent: event.heat.text }, figure);
    } else if (event.heat.text) html("p", { className: "absent extra heat", textContent: event.heat.text }, home);
    if (!Object.keys(event.pictures).length) html("p", { className: "absent", textContent: event.film.why ?? "No pictures of this event are kept." }, home);
  }

  // An event that the spotter missed, as the reader adds it: no pictures, and a row of its own in the table.

  function add(video, track, span) {
    const { fps, first } = data.videos[video];
    const seconds = Object.fromEntries(Object.entries(span).map(([name, n]) => [`${name}_seconds`, (n - first) / fps]));
    const row = { video: data.videos[video].name, track, ...span, ...seconds, frames: span.offset - span.onset + 1, verdict: "added", cause: "", regions: "", suggested_aus: "", peak_px: 0, peak_noise: 0 };
    const k = data.events.push({ row, video, frame_rate: fps, pictures: {}, film: {}, answer: {}, heat: {} }) - 1;
    const body = document.querySelector("table.events tbody");
    const line = html("tr", { className: "added" }, body);
    line.dataset.event = k;
    document.querySelectorAll("table.events thead th").forEach((head) => {
      const name = head.textContent;
      const told = { Video: row.video, Person: track, Verdict: "added by you", Frames: `${span.onset}–${span.apex}–${span.offset}`, "Length, s": (seconds.offset_seconds - seconds.onset_seconds).toFixed(2) };
      const cell = html("td", { className: /Video|Verdict|Regions|Suggests|Answer|mark/.test(name) ? "text" : "" }, line);
      if (name === "Onset, s") {
        cell.dataset.value = seconds.onset_seconds;
        html("button", { type: "button", className: "open", textContent: seconds.onset_seconds.toFixed(2) }, cell).addEventListener("click", () => choose(k, true));
      } else cell.textContent = told[name] ?? "–";
      if (/^Peak/.test(name)) cell.dataset.value = 0;
      if (name === "Your mark") cell.classList.add("mark");
    });
    views.get(video)?.lines.forEach((l) => l.find());
    filter();
    return k;
  }

  // Marks: what the reader says of an event; kept by the browser where it lets a page keep something.

  // The key tells pages apart by their videos and events: marks of one are none of another.
  const whole = JSON.stringify([data.videos.map((v) => [v.name, v.frames]), data.events.map(({ video, row }) => [video, row.track, row.onset, row.apex, row.offset])]);
  const key = `mer_tf marks ${[...whole].reduce((sum, c) => (Math.imul(sum, 31) + c.codePointAt(0)) | 0, 7)} ${whole.length}`;

  function begun(k) {
    const { row } = data.events[k];
    return { mark: "", onset: row.onset, apex: row.apex, offset: row.offset, emotion: "", subject: personOf(k) };
  }

  function personOf(k) {
    const { row, video } = data.events[k];
    const known = [...marks].find(([j, m]) => data.events[j].video === video && data.events[j].row.track === row.track && m.subject);
    return known ? known[1].subject : data.videos.length > 1 ? `${data.videos[video].clip} person ${row.track}` : `person ${row.track}`;
  }

  function change(values) {
    if (chosen === null) return;
    marks.set(chosen, { ...(marks.get(chosen) ?? begun(chosen)), ...values });
    tell();
    keep();
  }

  function fill() {
    const mark = marks.get(chosen) ?? begun(chosen);
    ["onset", "apex", "offset", "emotion", "subject"].forEach((name) => { form.elements[name].value = mark[name]; });
    tell();
  }

  function wrong(k, mark) {
    const { first, frames } = data.videos[data.events[k].video];
    if (![mark.onset, mark.apex, mark.offset].every(Number.isInteger)) return "Frames are whole numbers.";
    if (!(mark.onset <= mark.apex && mark.apex <= mark.offset)) return "Onset, apex and offset must follow one another.";
    if (mark.onset < first || mark.offset > first + frames - 1) return `The video has frames ${first} to ${first + frames - 1}.`;
    return "";
  }

  function ready() {
    return [...marks].filter(([k, m]) => m.mark && !wrong(k, m)).sort(([a], [b]) => a - b);
  }

  function tell() {
    const mark = marks.get(chosen) ?? begun(chosen);
    form.querySelectorAll("[data-mark]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.mark === mark.mark)));
    const missing = mark.mark === "accepted" && !mark.emotion ? "Without an emotion it teaches no class." : "";
    document.getElementById("mark-problem").textContent = wrong(chosen, mark) || missing;
    table();
  }

  function table() {
    document.querySelectorAll("tr[data-event]").forEach((row) => {
      const mark = marks.get(Number(row.dataset.event));
      row.querySelector(".mark").textContent = mark?.mark ? `${mark.mark}${mark.emotion ? `, ${mark.emotion}` : ""}` : "–";
    });
    const made = ready();
    const taken = made.filter(([, m]) => m.mark === "accepted");
    const open = taken.filter(([, m]) => !m.emotion).length;
    document.getElementById("save").disabled = !made.length;
    document.getElementById("saved").textContent = made.length ? `${made.length} marked, ${taken.length} of them accepted${open ? `, ${open} without an emotion` : ""}` : "";
  }

  function keep() {
    const added = data.events.filter((e) => e.row.verdict === "added").map((e) => [e.video, e.row.track, { onset: e.row.onset, apex: e.row.apex, offset: e.row.offset }]);
    try { localStorage.setItem(key, JSON.stringify({ added, marks: [...marks] })); } catch { /* a browser may forbid it */ }
  }

  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
      (kept.added ?? []).filter(([video]) => views.has(video)).forEach((one) => add(...one));
      (kept.marks ?? []).forEach(([k, mark]) => { if (data.events[k]) marks.set(k, mark); });
    } catch { /* nothing kept, or not as this page keeps it */ }
  }

  const COLUMNS = ["clip", "subject", "label", "onset", "apex", "offset", "fps", "mark", "track", "spotted_onset", "spotted_apex", "spotted_offset", "spotted_verdict"];

  function cell(value) {
    const text = String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function csv() {
    const lines = ready().map(([k, m]) => {
      const { row, video } = data.events[k];
      const { clip, fps } = data.videos[video];
      return [clip, m.subject, m.emotion, m.onset, m.apex, m.offset, fps, m.mark, row.track, row.onset, row.apex, row.offset, row.verdict].map(cell).join(",");
    });
    return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
  }

  function parsed(text) {
    const rows = [[""]];
    let quoted = false;
    for (let i = 0; i < text.length; i += 1) {
      const c = text[i];
      const row = rows.at(-1);
      if (c === '"' && quoted && text[i + 1] === '"') { row[row.length - 1] += '"'; i += 1; }
      else if (c === '"') quoted = !quoted;
      else if (c === "," && !quoted) row.push("");
      else if (c === "\n" && !quoted) rows.push([""]);
      else if (c !== "\r" || quoted) row[row.length - 1] += c;
    }
    const [head, ...rest] = rows;
    return rest.filter((r) => r.length > 1).map((r) => Object.fromEntries(head.map((name, k) => [name.replace("\ufeff", ""), r[k] ?? ""])));
  }

  function load(text) {
    let found = 0;
    const rows = parsed(text);
    rows.forEach((r) => {
      const span = { onset: Number(r.spotted_onset), apex: Number(r.spotted_apex), offset: Number(r.spotted_offset) };
      let k = data.events.findIndex((e) => data.videos[e.video].clip === r.clip && e.row.track === Number(r.track)
        && e.row.onset === span.onset && e.row.apex === span.apex);
      const video = data.videos.findIndex((v) => v.clip === r.clip);
      if (k < 0 && r.spotted_verdict === "added" && views.has(video)) k = add(video, Number(r.track), span);
      if (k < 0) return;
      found += 1;
      marks.set(k, { mark: r.mark, onset: Number(r.onset), apex: Number(r.apex), offset: Number(r.offset), emotion: r.label, subject: r.subject });
    });
    keep();
    if (chosen !== null) fill();
    table();
    document.getElementById("saved").textContent = `${found} of ${rows.length} marks belong to events of this page`;
  }

  function save() {
    const link = html("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "marks.csv" }, document.body);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function filter() {
    const all = document.getElementById("show-rejected").checked;
    document.querySelectorAll("tr[data-event]").forEach((row) => row.classList.toggle("hidden", !all && row.classList.contains("rejected")));
    const some = document.querySelector("tr[data-event]:not(.hidden)");
    const none = document.getElementById("no-events");
    none.hidden = Boolean(some);
    none.textContent = data.events.length ? "Nothing is called an expression; the box above shows what was rejected, and why." : "There is no event to show.";
  }

  function neighbour(step) {
    const shown = [...document.querySelectorAll("tr[data-event]:not(.hidden)")].map((row) => Number(row.dataset.event));
    const place = shown.indexOf(chosen);
    const next = place < 0 ? (step > 0 ? shown[0] : shown.at(-1)) : shown[place + step];
    if (next !== undefined) choose(next, true);
  }

  document.querySelectorAll("section.video").forEach((section) => {
    if (section.querySelector(".lines")) views.set(Number(section.dataset.video), new View(section));
  });
  recall();
  views.forEach((view) => view.lines.forEach((line) => line.draw()));
  new ResizeObserver(() => views.forEach((view) => view.lines.forEach((line) => line.draw()))).observe(document.querySelector("main"));

  document.querySelectorAll("tr[data-event] .open").forEach((b) => b.addEventListener("click", () => choose(Number(b.closest("tr").dataset.event), true)));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelectorAll("[data-mark]").forEach((b) => b.addEventListener("click", () => change({ mark: b.dataset.mark })));
  form.querySelectorAll("[data-set]").forEach((b) => b.addEventListener("click", () => {
    change({ [b.dataset.set]: film.frames.length ? film.frames[film.place] : views.get(data.events[chosen].video).frame() });
    fill();
    views.get(data.events[chosen].video).lines.forEach((line) => line.draw());
  }));
  ["onset", "apex", "offset"].forEach((name) => form.elements[name].addEventListener("change", (e) => change({ [name]: e.target.value === "" ? NaN : Number(e.target.value) })));
  ["emotion", "subject"].forEach((name) => form.elements[name].addEventListener("input", (e) => change({ [name]: e.target.value.trim() })));
  play.addEventListener("click", () => playing(!film.playing));
  scrub.addEventListener("input", () => { playing(false); film.place = Number(scrub.value); paint(); });
  document.getElementById("save").addEventListener("click", save);
  document.getElementById("load").addEventListener("change", async (e) => { if (e.target.files[0]) load(await e.target.files[0].text()); e.target.value = ""; });
  document.getElementById("show-rejected").addEventListener("change", filter);
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, button, summary, video, a, label") || event.ctrlKey || event.metaKey || event.altKey) return;
    const of_event = { a: () => change({ mark: "accepted" }), x: () => change({ mark: "rejected" }), u: () => change({ mark: "" }), " ": () => playing(!film.playing) };
    const keys = { n: () => neighbour(1), p: () => neighbour(-1), ...(chosen === null ? {} : of_event) };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  if (!data.events.some((e) => e.row.verdict !== "rejected")) document.getElementById("show-rejected").checked = data.events.length > 0 && data.events.length < 30;
  filter();
  table();
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) playing(false);
  const first = data.events.findIndex((e) => e.row.verdict !== "rejected");
  if (first >= 0) choose(first);
  requestAnimationFrame(tick);
})();
