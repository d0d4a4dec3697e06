(rate, ask) => {
  // Media elements of a page do not play by themselves: Chromium gets no media, a video paints the frame that is
  // set here, as its poster, and scripts that ask an element where it is are told what it shows.
  const key = Symbol.for("helios.media");
  const own = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name);
  const Media = HTMLMediaElement.prototype, Video = HTMLVideoElement.prototype;
  const { getAttribute, setAttribute, removeAttribute, attachShadow } = Element.prototype;
  const frame = requestAnimationFrame.bind(window), timeout = setTimeout.bind(window);
  const timestamp = performance.now.bind(performance);
  const postTask = scheduler.postTask.bind(scheduler);
  const { waitAsync } = Atomics, cell = new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  const mark = (ms) => waitAsync(cell, 0, 0, ms); // see clock.mark
  mark(0.0015);

  let outer, root = /** @type {Window} */ (window);
  try {
    while (root.parent !== root) root = root.parent;
    outer = root !== window && root[key];
  } catch {}
  // What is known of the sources, by address: {pts, grain, width, height, duration, frames, problem}.
  const shared = outer ? outer.shared : { rate, sources: new Map(), count: 0, drawn: false, videos: false, begun: false, held: null, runs: [], asked() {} };
  const { sources } = shared;
  const lead = outer ? performance.timeOrigin - root.performance.timeOrigin : 0; // of a frame that came later

  // The time of the composition in seconds. Chromium's clock is up to 0.1 ms ahead of a frame.
  const now = () => {
    if (shared.held !== null) return shared.held;
    const t = (timestamp() + (lead > 1 ? lead : 0)) / 1000, frame = Math.floor(t * shared.rate + 1e-6) / shared.rate;
    return t - frame < 0.00011 ? frame : t;
  };

  // sourceOf is the address that an element plays, null when that is none that can be had outside of Chromium.
  const sourceOf = (el) => {
    if (el.srcObject) return null;
    let url = getAttribute.call(el, "src") === null ? "" : el.src;
    if (!url) {
      const choices = [...el.children].filter((c) => c instanceof HTMLSourceElement && c.src);
      url = (choices.find((c) => !c.type || el.canPlayType(c.type)) ?? choices[0])?.src ?? "";
    }
    return /^(https?|data):/.test(url) ? url : null;
  };

  const states = new WeakMap();
  const stateOf = (el) => {
    const known = states.get(el);
    const url = known?.stripped && getAttribute.call(el, "src") === null ? known.url : sourceOf(el);
    if (known?.run && known.url !== url) end(known.run, now());
    if (!url) return null;
    if (known?.url === url) return known;
    const state = {
      url, id: ++shared.count, early: false, played: false, paused: false, at: null, base: null, shown: null, image: null,
      noticed: false, inside: false, tentative: false, run: null, first: null,
      poster: known ? known.poster : getAttribute.call(el, "poster"), stripped: false,
    };
    states.set(el, state);
    return state;
  };

  const attribute = (el, name) => getAttribute.call(el, "data-helios-" + name);
  const flag = (el, name) => { const a = attribute(el, name); return a !== null && a !== "false"; };
  const seconds = (text) => {
    if (text === null || text.trim() === "") return 0;
    if (!isNaN(text)) return Number(text);
    const units = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, "µs": 1e-6, "μs": 1e-6, ns: 1e-9 };
    return [...text.matchAll(/([0-9.]+)(h|ms|m|s|us|µs|μs|ns)/g)].reduce((sum, [, n, unit]) => sum + n * units[unit], 0);
  };
  const loops = (el) => el.loop || flag(el, "loop");
  const rateProperty = own(Media, "playbackRate");
  const rateOf = (el) => Number(attribute(el, "rate") ?? rateProperty.get.call(el));
  const offsetOf = (el) => seconds(attribute(el, "offset"));

  // positionOf is where in its source an element is at a time of the composition.
  const positionOf = (el, state, t) => {
    let position = state.base ?? seconds(attribute(el, "seek"));
    if (state.noticed && !state.paused) position += Math.max(0, t - Math.max(state.at ?? 0, offsetOf(el))) * rateOf(el);
    const duration = sources.get(state.url)?.duration;
    if (!(duration > 0)) return position;
    if (!loops(el)) return Math.min(position, duration);
    position %= duration;
    return duration - position < 1e-6 ? 0 : position;
  };

  // A run is what is heard of an element from one moment to another: its source from a position on, without a break.
  const runs = shared.runs;
  const near = (a, b) => Math.abs(a - b) < 0.5 / shared.rate;
  const end = (run, t, to = positionOf(run.el, run.state, t)) => {
    Object.assign(run, { until: t, to });
    run.state.run = null;
    if (t <= run.at) runs.splice(runs.indexOf(run), 1);
  };
  const hears = (el, state) => {
    if (el.isConnected && el.ownerDocument.defaultView) state.inside = true;
    else if (state.inside || !state.played) return false;
    return !state.paused;
  };

  // heed begins and ends the runs of an element that was at a position until now.
  const heed = (el, state, t, to = positionOf(el, state, t)) => {
    if (!shared.begun) return;
    const { run } = state, heard = hears(el, state);
    if (run && !(heard && run.rate === rateOf(el) && near(to, positionOf(el, state, t)))) end(run, t, to);
    if (!heard || state.run) return;
    const offset = offsetOf(el), from = positionOf(el, state, Math.max(t, offset));
    state.first ??= Math.max(state.at ?? 0, offset);
    const said = describe(el, state), mark = JSON.stringify(said);
    // A page may make its elements anew for each frame.
    state.run = runs.findLast((r) => r.until === t && r.mark === mark && near(r.to, from));
    if (state.run) return Object.assign(state.run, { el, state, until: null });
    state.run = { el, state, said, mark, at: t, from, first: state.first, sought: state.base !== null, rate: rateOf(el), until: null, to: null };
    runs.push(state.run);
  };

  // notice looks for elements that came or went. Where the page does not show any moment at once, one that comes
  // later begins when it comes, unless it says itself when.
  const notice = () => {
    const t = now();
    for (const run of runs.filter((r) => r.until === null)) if (!hears(run.el, run.state)) end(run, t);
    for (const el of elements()) {
      const state = stateOf(el);
      if (!el.isConnected && !state.played) continue;
      if (!state.noticed) {
        state.noticed = true;
        if (!sources.has(state.url)) learnNow(state.url);
        if (!state.played && attribute(el, "offset") === null && typeof root.helios?.seek !== "function") {
          state.base ??= seconds(attribute(el, "seek"));
          state.at = t;
          state.tentative = !el.autoplay;
        }
      }
      heed(el, state, t);
    }
  };
  const holds = (node) => node instanceof Element && (node.matches("audio, video, iframe") || node.firstElementChild && node.querySelector("audio, video, iframe"));
  const observer = new MutationObserver((records) => {
    if (records.some(({ type, target, addedNodes, removedNodes }) => target instanceof HTMLMediaElement || target instanceof HTMLSourceElement ||
      type === "childList" && ([...addedNodes].some(holds) || [...removedNodes].some(holds)))) notice();
  });
  const observe = (root) => observer.observe(root, { childList: true, subtree: true, attributeFilter: ["src"] });

  // learnNow asks for what is known of a source: when it is known must not depend on which frames are drawn. A request
  // takes 10 ms of Chromium's time, which do not count until the next task.
  const learnNow = (url) => {
    if (shared.held === null) {
      shared.held = now();
      postTask(() => { shared.held = null; }, { priority: "user-blocking" });
    }
    try {
      const request = new XMLHttpRequest();
      request.open("POST", ask, false);
      request.send(url);
      if (request.status === 200) shared.learn([JSON.parse(request.responseText)]);
    } catch {} // the page forbids requests; it is asked before the next picture
  };

  // move notes that from now on an element goes on from a position.
  const move = (el, state, change = () => {}) => {
    const t = now(), to = positionOf(el, state, t);
    state.base = to;
    state.at = t;
    change();
    heed(el, state, t, to);
  };
  const tell = (el, ...types) => queueMicrotask(() => { for (const type of types) el.dispatchEvent(new Event(type)); });

  // Chromium finds no media in the answers that it gets; a page is told so only when there is none. What Chromium
  // thinks of the nothing that it got, and when, a page is not told.
  const told = ["durationchange", "loadedmetadata", "loadeddata", "canplay", "canplaythrough"];
  const hush = (e) => {
    const el = e.target instanceof HTMLSourceElement ? e.target.parentNode : e.target;
    if (!e.isTrusted || !(el instanceof HTMLMediaElement) || !stateOf(el)) return;
    e.stopImmediatePropagation();
    if (e.type !== "error") return;
    awaited.add(el);
    if (sources.has(stateOf(el).url)) return;
    if (shared.begun) learnNow(stateOf(el).url);
    else shared.asked();
  };
  const { addEventListener } = EventTarget.prototype;
  const listen = (target) => { for (const type of ["error", ...told]) addEventListener.call(target, type, hush, true); };
  listen(window);

  const roots = new Set([document]), played = new Set(), awaited = new Set();
  const keep = (root) => {
    if (!roots.has(root)) { roots.add(root); listen(root); if (shared.begun) observe(root); }
    return root;
  };
  if (shared.begun) observe(document);
  Element.prototype.attachShadow = { attachShadow(...args) { return keep(attachShadow.apply(this, args)); } }.attachShadow;
  const { createElement } = Document.prototype;
  Document.prototype.createElement = { createElement(...args) {
    const el = createElement.apply(this, args);
    if (el instanceof HTMLMediaElement) listen(el);
    return el;
  } }.createElement;
  window.Audio = new Proxy(Audio, { construct(target, args, as) {
    const el = Reflect.construct(target, args, as);
    listen(el);
    return el;
  } });

  const known = (el) => { const state = stateOf(el); return state && sources.get(state.url)?.problem === "" ? state : null; };
  const getter = (prototype, name, get, set = (original) => original) => {
    const original = own(prototype, name);
    Object.defineProperty(prototype, name, { ...original,
      get() { const state = known(this); return state ? get(this, state, sources.get(state.url)) : original.get.call(this); },
      set: original.set && set(original.set),
    });
  };
  getter(Media, "currentTime", (el, state) => positionOf(el, state, now()), (original) => function (value) {
    const state = stateOf(this);
    if (!state) return original.call(this, value);
    move(this, state, () => { state.base = Math.max(0, Number(value)); });
    tell(this, "seeking", "seeked");
  });
  getter(Media, "duration", (el, state, source) => source.duration);
  getter(Media, "readyState", () => 4);
  getter(Media, "networkState", () => 1);
  getter(Media, "error", () => null);
  getter(Media, "currentSrc", (el, state) => state.url);
  getter(Media, "seeking", () => false);
  getter(Media, "paused", (el, state) => state.paused);
  getter(Media, "ended", (el, state, source) => !loops(el) && positionOf(el, state, now()) >= source.duration);
  getter(Video, "videoWidth", (el, state, source) => source.width);
  getter(Video, "videoHeight", (el, state, source) => source.height);
  Object.defineProperty(Media, "playbackRate", { ...rateProperty, set(value) {
    const state = now() > 0 && stateOf(this);
    if (state?.noticed) move(this, state, () => rateProperty.set.call(this, value));
    else rateProperty.set.call(this, value);
  } });
  const { play, pause } = Media;
  Media.play = { play() {
    const state = stateOf(this);
    played.add(this);
    if (!state) return play.call(this);
    const t = now(); // a request takes time
    if (!sources.has(state.url)) shared.begun ? learnNow(state.url) : shared.asked();
    const first = !state.played && (!state.early || state.tentative);
    state.played = state.noticed = true;
    if (first) {
      for (const run of runs.filter((r) => r.state === state)) runs.splice(runs.indexOf(run), 1);
      state.base ??= seconds(attribute(this, "seek"));
      Object.assign(state, { at: t, paused: false, tentative: false, run: null, first: null });
      heed(this, state, t);
    } else {
      const ended = !state.paused && this.ended;
      if (state.paused || ended) move(this, state, () => { state.paused = false; if (ended) state.base = 0; });
    }
    tell(this, "play", "playing");
    return Promise.resolve();
  } }.play;
  Media.pause = { pause() {
    const state = stateOf(this);
    if (!state) return pause.call(this);
    if (state.paused) return;
    move(this, state, () => { state.paused = true; });
    tell(this, "pause");
  } }.pause;
  Video.requestVideoFrameCallback = { requestVideoFrameCallback(callback) {
    return requestAnimationFrame((t) => callback(t, {
      presentationTime: t, expectedDisplayTime: t, width: this.videoWidth, height: this.videoHeight,
      mediaTime: this.currentTime, presentedFrames: Math.round(now() * shared.rate) + 1, processingDuration: 0,
    }));
  } }.requestVideoFrameCallback;
  Video.cancelVideoFrameCallback = { cancelVideoFrameCallback(id) { cancelAnimationFrame(id); } }.cancelVideoFrameCallback;

  // describe tells what an element says of itself.
  const describe = (el, state) => ({
    kind: el instanceof HTMLVideoElement ? "video" : "audio", url: state.url, muted: el.muted || flag(el, "no-audio"), loop: loops(el),
    volume: attribute(el, "volume") ?? String(el.volume), rate: attribute(el, "rate") ?? String(rateProperty.get.call(el)),
    ...Object.fromEntries(["offset", "seek", "duration", "fade-in", "fade-out", "track-id"].map((name) => [name, attribute(el, name) ?? ""])),
  });

  // heard tells of a run, in words like those of the attributes; of one that is never heard, nothing.
  const heard = ({ said, at, from, first, sought, until }) => {
    const offset = seconds(said.offset), begin = Math.max(at, offset), passed = begin - first, source = sources.get(said.url);
    const rest = said.duration === "" ? Infinity : seconds(said.duration) - passed, length = (until ?? Infinity) - begin;
    const moved = begin > offset || sought, cut = length < rest;
    if (length < 1e-6 || rest < 1e-6 && passed > 0 || moved && !said.loop && source?.duration > 0 && from >= source.duration) return [];
    return [{
      ...said, offset: begin > offset ? begin.toFixed(9) : said.offset, seek: moved ? from.toFixed(9) : said.seek,
      duration: cut ? length.toFixed(9) : passed > 0 && said.duration !== "" ? rest.toFixed(9) : said.duration,
      "fade-in": passed > 0 ? "" : said["fade-in"], "fade-out": cut ? "" : said["fade-out"],
    }];
  };

  // What draws a video draws its frame.
  const still = (arg) => {
    if (!(arg instanceof HTMLVideoElement) || !known(arg)) return arg;
    shared.drawn = true;
    return known(arg).image ?? arg;
  };
  const redirect = (owner, ...names) => {
    for (const name of names) {
      const original = owner?.prototype?.[name];
      if (original) owner.prototype[name] = { [name](...args) { return original.apply(this, args.map(still)); } }[name];
    }
  };
  redirect(window.CanvasRenderingContext2D, "drawImage", "createPattern");
  redirect(window.OffscreenCanvasRenderingContext2D, "drawImage", "createPattern");
  redirect(window.WebGLRenderingContext, "texImage2D", "texSubImage2D");
  redirect(window.WebGL2RenderingContext, "texImage2D", "texSubImage2D", "texImage3D", "texSubImage3D");
  const bitmap = window.createImageBitmap;
  window.createImageBitmap = { createImageBitmap(source, ...rest) { return bitmap.call(this, still(source), ...rest); } }.createImageBitmap;

  // elements are those of the page that play something, in the order of its documents.
  const elements = () => {
    const found = new Set();
    for (const root of roots) {
      if (!root.isConnected) continue;
      for (const el of root.querySelectorAll("audio, video")) found.add(el);
    }
    for (const el of played) found.add(el);
    for (const el of awaited) found.add(el);
    return [...found].filter(stateOf);
  };
  const apis = function* () {
    yield api;
    for (let i = 0; i < window.length; i++) {
      let inner;
      try { inner = window[i][key]; } catch {}
      if (inner) yield* inner.apis();
    }
  };

  // frameAt is the last frame that does not begin after a position. Some containers round times to their grain.
  const frameAt = ({ pts, grain }, position) => {
    let low = 0, high = pts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (pts[middle] <= position + grain / 2 + 1e-6) low = middle;
      else high = middle;
    }
    return low;
  };

  const paint = async (el, state, url) => {
    const image = new Image();
    if (el.crossOrigin !== null) image.crossOrigin = el.crossOrigin;
    await new Promise((done, failed) => {
      image.onload = done;
      image.onerror = () => failed(new Error("no frame of " + state.url));
      image.src = url;
    });
    state.image = image;
    setAttribute.call(el, "poster", url);
  };

  // paintNow is for a position that a script sets while its frame is being drawn, when there is no waiting any more.
  const paintNow = (el, state, url) => {
    if (url === state.poster) return setAttribute.call(el, "poster", url);
    const request = new XMLHttpRequest();
    request.open("GET", url + "?inline", false);
    request.send();
    setAttribute.call(el, "poster", request.responseText);
  };

  // change does something to the videos that show something else than they should.
  const change = (t, how) => {
    for (const el of elements()) {
      const state = stateOf(el), source = sources.get(state.url);
      if (!(el instanceof HTMLVideoElement) || !source?.pts?.length) continue;
      shared.videos = true;
      const waiting = state.poster && t < offsetOf(el) - 1e-6 && state.base === null;
      const url = waiting ? state.poster : source.frames + state.id + "/" + frameAt(source, positionOf(el, state, t));
      if (url === state.shown) continue;
      state.shown = url;
      how(el, state, url);
    }
  };

  const api = {
    shared, apis, elements,
    // scan looks for elements where it takes a search to find them.
    scan() {
      for (const root of roots) for (const el of root.querySelectorAll("*")) if (el.shadowRoot) keep(el.shadowRoot);
    },
    // unknown are the addresses of which nothing is known yet.
    unknown: () => elements().map((el) => stateOf(el).url).filter((url) => !sources.has(url)),
    // begin lets the elements that are there before frame 0 start with it.
    begin() {
      shared.begun = true;
      for (const root of roots) observe(root);
      for (const el of elements()) {
        const state = stateOf(el);
        if (!el.isConnected && !state.played) continue;
        state.early = state.noticed = true;
        // What is only heard may wait for play(); a picture has to be shown.
        state.tentative = !(el instanceof HTMLVideoElement || el.autoplay || attribute(el, "offset") !== null);
        heed(el, state, now());
      }
    },
    learned(urls) {
      for (const el of elements()) {
        const state = stateOf(el), source = sources.get(state.url);
        if (!urls.has(state.url)) continue;
        if (source.problem) { tell(el, "error"); continue; }
        if (el instanceof HTMLVideoElement && source.pts.length) {
          if (state.url.startsWith("data:")) { state.stripped = true; removeAttribute.call(el, "src"); el.load(); }
          // Its layout shall not wait for its first frame.
          if (!state.poster && !state.shown) setAttribute.call(el, "poster", "data:image/svg+xml," +
            encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${source.width}" height="${source.height}"/>`));
        }
        tell(el, ...told);
      }
    },
    show(t) {
      const waits = [];
      change(t, (el, state, url) => waits.push(paint(el, state, url)));
      if (shared.videos) frame(() => change(t, paintNow));
      return waits;
    },
  };

  const all = (name, ...args) => [...apis()].flatMap((one) => one[name](...args) ?? []);
  shared.learn ??= (list) => {
    for (const source of list) sources.set(source.url, source);
    all("learned", new Set(list.map((source) => source.url)));
  };
  Object.defineProperty(window, key, { value: outer ? api : {
    ...api,
    // What Helios calls, for all frames of the page.
    all,
    search() { all("scan"); return [...new Set(all("unknown"))]; },
    learn(list) { shared.learn(list); },
    heard: () => runs.flatMap(heard),
    setRate(rate) { shared.rate = rate; },
    wait(promise) {
      const asked = new Promise((done) => { shared.asked = () => done(false); });
      return Promise.race([Promise.resolve(promise).then(() => true), asked]);
    },
    // frame shows what belongs into a frame. If time has moved, that is done after the timers that are due, and next is the
    // time until the next mark.
    async frame(t, next) {
      if (next) {
        mark(next);
        await new Promise((done) => timeout(done));
      }
      await Promise.all(all("show", t));
      return { unknown: [...new Set(all("unknown"))], drawn: shared.drawn };
    },
  } });
}
