(rate, infoURL) => {
  // Simulates the playback of a page's media elements in virtual time. Chromium gets no media. A video shows the
  // current frame as its poster, and its properties report the position of that frame.
  const key = Symbol.for("helios.media");
  const descriptorOf = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name);
  const Media = HTMLMediaElement.prototype, Video = HTMLVideoElement.prototype;
  const { getAttribute, setAttribute, removeAttribute, attachShadow } = Element.prototype;
  const frame = requestAnimationFrame.bind(window), timeout = setTimeout.bind(window);
  const timestamp = performance.now.bind(performance);
  const postTask = scheduler.postTask.bind(scheduler);
  const { waitAsync } = Atomics;
  const cell = new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  const mark = (ms) => waitAsync(cell, 0, 0, ms); // see clock.mark
  mark(0.0015);

  let outer, root = /** @type {Window} */ (window);
  try {
    while (root.parent !== root) root = root.parent;
    outer = root !== window && root[key];
  } catch {}
  // The state that the page and its iframes share. sources contains the descriptions of mediaserver.go, by URL.
  const shared = outer ? outer.shared : {
    rate, sources: new Map(), count: 0, drawn: false, videos: false, begun: false, frozenTime: null, spans: [],
    onUnknown() {},
  };
  const { sources } = shared;
  // How many milliseconds after the page this iframe was added.
  const startOffset = outer ? performance.timeOrigin - root.performance.timeOrigin : 0;

  // The time of the composition in seconds. Chromium's clock is up to 0.1 ms later than n/fps.
  const now = () => {
    if (shared.frozenTime !== null) return shared.frozenTime;
    const t = (timestamp() + (startOffset > 1 ? startOffset : 0)) / 1000;
    const frame = Math.floor(t * shared.rate + 1e-6) / shared.rate;
    return t - frame < 0.00011 ? frame : t;
  };

  // sourceOf returns the URL that an element plays, or null if only Chromium can load it.
  const sourceOf = (el) => {
    if (el.srcObject) return null;
    let url = getAttribute.call(el, "src") === null ? "" : el.src;
    if (!url) {
      const choices = [...el.children].filter((c) => c instanceof HTMLSourceElement && c.src);
      url = (choices.find((c) => !c.type || el.canPlayType(c.type)) ?? choices[0])?.src ?? "";
    }
    return /^(https?|data):/.test(url) ? url : null;
  };

  // The state of an element's playback of a source. Times of the composition and positions in the source are in
  // seconds.
  //   early: it exists before frame 0; played: play() was called; paused: it is paused
  //   at, base: the element is at position base at time at; null for data-helios-offset and data-helios-seek
  //   shown, image: the URL of the frame that the video shows, and its image; poster: the page's own poster
  //   tracked: its playback has started; inside: it was in the document; tentative: see begin
  //   span: the current span; first: when it played first, from which its duration and its fades count
  //   stripped: its src was removed
  const states = new WeakMap();
  const stateOf = (el) => {
    const known = states.get(el);
    const url = known?.stripped && getAttribute.call(el, "src") === null ? known.url : sourceOf(el);
    if (known?.span && known.url !== url) end(known.span, now());
    if (!url) return null;
    if (known?.url === url) return known;
    const state = {
      url, id: ++shared.count, early: false, played: false, paused: false, at: null, base: null, shown: null,
      image: null,
      tracked: false, inside: false, tentative: false, span: null, first: null,
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
    const parts = [...text.matchAll(/([0-9.]+)(h|ms|m|s|us|µs|μs|ns)/g)];
    return parts.reduce((sum, [, n, unit]) => sum + n * units[unit], 0);
  };
  const loops = (el) => el.loop || flag(el, "loop");
  const rateProperty = descriptorOf(Media, "playbackRate");
  const rateOf = (el) => Number(attribute(el, "rate") ?? rateProperty.get.call(el));
  const offsetOf = (el) => seconds(attribute(el, "offset"));

  // positionOf returns the position of an element in its source, in seconds, at a time of the composition.
  const positionOf = (el, state, t) => {
    let position = state.base ?? seconds(attribute(el, "seek"));
    if (state.tracked && !state.paused) position += Math.max(0, t - Math.max(state.at ?? 0, offsetOf(el))) * rateOf(el);
    const duration = sources.get(state.url)?.duration;
    if (!(duration > 0)) return position;
    if (!loops(el)) return Math.min(position, duration);
    position %= duration;
    return duration - position < 1e-6 ? 0 : position;
  };

  // A span is a continuous part of an element's playback.
  const spans = shared.spans;
  const near = (a, b) => Math.abs(a - b) < 0.5 / shared.rate;
  const end = (span, t, to = positionOf(span.el, span.state, t)) => {
    Object.assign(span, { until: t, to });
    span.state.span = null;
    if (t <= span.at) spans.splice(spans.indexOf(span), 1);
  };
  const isAudible = (el, state) => {
    if (el.isConnected && el.ownerDocument.defaultView) state.inside = true;
    else if (state.inside || !state.played) return false;
    return !state.paused;
  };

  // updateSpan ends the span of an element and starts a new one, if its playback has changed. The position of the old
  // playback at time t is to.
  const updateSpan = (el, state, t, to = positionOf(el, state, t)) => {
    if (!shared.begun) return;
    const { span } = state, audible = isAudible(el, state);
    if (span && !(audible && span.rate === rateOf(el) && near(to, positionOf(el, state, t)))) end(span, t, to);
    if (!audible || state.span) return;
    const offset = offsetOf(el), from = positionOf(el, state, Math.max(t, offset));
    state.first ??= Math.max(state.at ?? 0, offset);
    const description = describeElement(el, state), key = JSON.stringify(description);
    // A page may create its elements again for each frame.
    state.span = spans.findLast((r) => r.until === t && r.key === key && near(r.to, from));
    if (state.span) return Object.assign(state.span, { el, state, until: null });
    state.span = {
      el, state, description, key, at: t, from, first: state.first, sought: state.base !== null, rate: rateOf(el),
      until: null, to: null,
    };
    spans.push(state.span);
  };

  // trackElements finds elements that were added or removed after frame 0. An added element starts at once, unless it
  // has an offset or the page has helios.seek.
  const trackElements = () => {
    const t = now();
    for (const span of spans.filter((r) => r.until === null)) if (!isAudible(span.el, span.state)) end(span, t);
    for (const el of elements()) {
      const state = stateOf(el);
      if (!el.isConnected && !state.played) continue;
      if (!state.tracked) {
        state.tracked = true;
        if (!sources.has(state.url)) requestInfo(state.url);
        if (!state.played && attribute(el, "offset") === null && typeof root.helios?.seek !== "function") {
          state.base ??= seconds(attribute(el, "seek"));
          state.at = t;
          state.tentative = !el.autoplay;
        }
      }
      updateSpan(el, state, t);
    }
  };
  const contains = (node) => node instanceof Element &&
    (node.matches("audio, video, iframe") || node.firstElementChild && node.querySelector("audio, video, iframe"));
  const concernsMedia = ({ type, target, addedNodes, removedNodes }) =>
    target instanceof HTMLMediaElement || target instanceof HTMLSourceElement ||
    type === "childList" && ([...addedNodes].some(contains) || [...removedNodes].some(contains));
  const observer = new MutationObserver((records) => { if (records.some(concernsMedia)) trackElements(); });
  const observe = (root) => observer.observe(root, { childList: true, subtree: true, attributeFilter: ["src"] });

  // requestInfo requests the description of a source. The request is synchronous, because the time at which the page
  // gets the description must not depend on which frames are drawn. It takes 10 ms of virtual time, which media times
  // ignore until the next task.
  const requestInfo = (url) => {
    if (shared.frozenTime === null) {
      shared.frozenTime = now();
      postTask(() => { shared.frozenTime = null; }, { priority: "user-blocking" });
    }
    try {
      const request = new XMLHttpRequest();
      request.open("POST", infoURL, false);
      request.send(url);
      if (request.status === 200) shared.addSources([JSON.parse(request.responseText)]);
    } catch {} // the page's policy blocks the request; Helios passes the description before the next frame
  };

  // move makes an element continue from its current position after a change.
  const move = (el, state, change = () => {}) => {
    const t = now(), to = positionOf(el, state, t);
    state.base = to;
    state.at = t;
    change();
    updateSpan(el, state, t, to);
  };
  const dispatch = (el, ...types) => queueMicrotask(() => {
    for (const type of types) el.dispatchEvent(new Event(type));
  });

  // Chromium gets empty media files. suppress hides the resulting events from the page.
  const loadEvents = ["durationchange", "loadedmetadata", "loadeddata", "canplay", "canplaythrough"];
  const suppress = (e) => {
    const el = e.target instanceof HTMLSourceElement ? e.target.parentNode : e.target;
    if (!e.isTrusted || !(el instanceof HTMLMediaElement) || !stateOf(el)) return;
    e.stopImmediatePropagation();
    if (e.type !== "error") return;
    awaited.add(el);
    if (sources.has(stateOf(el).url)) return;
    if (shared.begun) requestInfo(stateOf(el).url);
    else shared.onUnknown();
  };
  const { addEventListener } = EventTarget.prototype;
  const listen = (target) => {
    for (const type of ["error", ...loadEvents]) addEventListener.call(target, type, suppress, true);
  };
  listen(window);

  const roots = new Set([document]), played = new Set(), awaited = new Set();
  const addRoot = (root) => {
    if (!roots.has(root)) { roots.add(root); listen(root); if (shared.begun) observe(root); }
    return root;
  };
  if (shared.begun) observe(document);
  Element.prototype.attachShadow = { attachShadow(...args) {
    return addRoot(attachShadow.apply(this, args));
  } }.attachShadow;
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

  // playable returns the state of an element whose source Helios plays, or null.
  const playable = (el) => {
    const state = stateOf(el);
    return state && sources.get(state.url)?.problem === "" ? state : null;
  };
  const getter = (prototype, name, get, set = (original) => original) => {
    const original = descriptorOf(prototype, name);
    Object.defineProperty(prototype, name, { ...original,
      get() {
        const state = playable(this);
        return state ? get(this, state, sources.get(state.url)) : original.get.call(this);
      },
      set: original.set && set(original.set),
    });
  };
  getter(Media, "currentTime", (el, state) => positionOf(el, state, now()), (original) => function (value) {
    const state = stateOf(this);
    if (!state) return original.call(this, value);
    move(this, state, () => { state.base = Math.max(0, Number(value)); });
    dispatch(this, "seeking", "seeked");
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
    if (state?.tracked) move(this, state, () => rateProperty.set.call(this, value));
    else rateProperty.set.call(this, value);
  } });
  const { play, pause } = Media;
  Media.play = { play() {
    const state = stateOf(this);
    played.add(this);
    if (!state) return play.call(this);
    const t = now(); // before a request
    if (!sources.has(state.url)) shared.begun ? requestInfo(state.url) : shared.onUnknown();
    const first = !state.played && (!state.early || state.tentative);
    state.played = state.tracked = true;
    if (first) {
      for (const span of spans.filter((r) => r.state === state)) spans.splice(spans.indexOf(span), 1);
      state.base ??= seconds(attribute(this, "seek"));
      Object.assign(state, { at: t, paused: false, tentative: false, span: null, first: null });
      updateSpan(this, state, t);
    } else {
      const ended = !state.paused && this.ended;
      if (state.paused || ended) move(this, state, () => { state.paused = false; if (ended) state.base = 0; });
    }
    dispatch(this, "play", "playing");
    return Promise.resolve();
  } }.play;
  Media.pause = { pause() {
    const state = stateOf(this);
    if (!state) return pause.call(this);
    if (state.paused) return;
    move(this, state, () => { state.paused = true; });
    dispatch(this, "pause");
  } }.pause;
  Video.requestVideoFrameCallback = { requestVideoFrameCallback(callback) {
    return requestAnimationFrame((t) => callback(t, {
      presentationTime: t, expectedDisplayTime: t, width: this.videoWidth, height: this.videoHeight,
      mediaTime: this.currentTime, presentedFrames: Math.round(now() * shared.rate) + 1, processingDuration: 0,
    }));
  } }.requestVideoFrameCallback;
  Video.cancelVideoFrameCallback = { cancelVideoFrameCallback(id) {
    cancelAnimationFrame(id);
  } }.cancelVideoFrameCallback;

  // describeElement returns an element's attributes and properties.
  const describeElement = (el, state) => ({
    kind: el instanceof HTMLVideoElement ? "video" : "audio", url: state.url, muted: el.muted || flag(el, "no-audio"),
    loop: loops(el), volume: attribute(el, "volume") ?? String(el.volume),
    rate: attribute(el, "rate") ?? String(rateProperty.get.call(el)),
    ...Object.fromEntries(["offset", "seek", "duration", "fade-in", "fade-out", "track-id"]
      .map((name) => [name, attribute(el, name) ?? ""])),
  });

  // describeSpan returns a list with the description of a span, in the form of an element's attributes. The list is
  // empty if the span is never audible.
  const describeSpan = ({ description, at, from, first, sought, until }) => {
    const offset = seconds(description.offset), begin = Math.max(at, offset), passed = begin - first;
    const source = sources.get(description.url), length = (until ?? Infinity) - begin;
    const rest = description.duration === "" ? Infinity : seconds(description.duration) - passed;
    const moved = begin > offset || sought, cut = length < rest;
    const ended = moved && !description.loop && source?.duration > 0 && from >= source.duration;
    if (length < 1e-6 || rest < 1e-6 && passed > 0 || ended) return [];
    return [{
      ...description,
      offset: begin > offset ? begin.toFixed(9) : description.offset,
      seek: moved ? from.toFixed(9) : description.seek,
      duration: cut ? length.toFixed(9)
        : passed > 0 && description.duration !== "" ? rest.toFixed(9) : description.duration,
      "fade-in": passed > 0 ? "" : description["fade-in"],
      "fade-out": cut ? "" : description["fade-out"],
    }];
  };

  // videoImage returns the image to draw when a script draws arg: for a video, its current frame.
  const videoImage = (arg) => {
    if (!(arg instanceof HTMLVideoElement) || !playable(arg)) return arg;
    shared.drawn = true;
    return playable(arg).image ?? arg;
  };
  const redirect = (owner, ...names) => {
    for (const name of names) {
      const original = owner?.prototype?.[name];
      if (!original) continue;
      owner.prototype[name] = { [name](...args) { return original.apply(this, args.map(videoImage)); } }[name];
    }
  };
  redirect(window.CanvasRenderingContext2D, "drawImage", "createPattern");
  redirect(window.OffscreenCanvasRenderingContext2D, "drawImage", "createPattern");
  redirect(window.WebGLRenderingContext, "texImage2D", "texSubImage2D");
  redirect(window.WebGL2RenderingContext, "texImage2D", "texSubImage2D", "texImage3D", "texSubImage3D");
  const { createImageBitmap: createBitmap } = window;
  window.createImageBitmap = { createImageBitmap(source, ...rest) {
    return createBitmap.call(this, videoImage(source), ...rest);
  } }.createImageBitmap;

  // elements returns the page's elements that have a source, in document order.
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

  // frameAt returns the index of the last frame that starts at or before a position. Some containers round times to
  // their time base.
  const frameAt = ({ pts, timeBase }, position) => {
    let low = 0, high = pts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (pts[middle] <= position + timeBase / 2 + 1e-6) low = middle;
      else high = middle;
    }
    return low;
  };

  const showFrame = async (el, state, url) => {
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

  // showFrameSync shows a frame without waiting. It is for a position that a script sets while Chromium runs a frame.
  const showFrameSync = (el, state, url) => {
    if (url === state.poster) return setAttribute.call(el, "poster", url);
    const request = new XMLHttpRequest();
    request.open("GET", url + "?inline", false);
    request.send();
    setAttribute.call(el, "poster", request.responseText);
  };

  // forEachChange calls show for each video that shows another frame than its frame at time t.
  const forEachChange = (t, show) => {
    for (const el of elements()) {
      const state = stateOf(el), source = sources.get(state.url);
      if (!(el instanceof HTMLVideoElement) || !source?.pts?.length) continue;
      shared.videos = true;
      const waiting = state.poster && t < offsetOf(el) - 1e-6 && state.base === null;
      const url = waiting ? state.poster : source.frames + state.id + "/" + frameAt(source, positionOf(el, state, t));
      if (url === state.shown) continue;
      state.shown = url;
      show(el, state, url);
    }
  };

  const api = {
    shared, apis, elements,
    // findShadowRoots finds declarative shadow roots.
    findShadowRoots() {
      for (const root of roots) for (const el of root.querySelectorAll("*")) if (el.shadowRoot) addRoot(el.shadowRoot);
    },
    // unknown returns the URLs of sources that have no description yet.
    unknown: () => elements().map((el) => stateOf(el).url).filter((url) => !sources.has(url)),
    // begin starts the elements that exist before frame 0.
    begin() {
      shared.begun = true;
      for (const root of roots) observe(root);
      for (const el of elements()) {
        const state = stateOf(el);
        if (!el.isConnected && !state.played) continue;
        state.early = state.tracked = true;
        // Playback that a script may still start with play() is tentative: the first call of play() replaces it.
        // The playback of a video is not tentative, because a video has to show a frame.
        state.tentative = !(el instanceof HTMLVideoElement || el.autoplay || attribute(el, "offset") !== null);
        updateSpan(el, state, now());
      }
    },
    sourcesAdded(urls) {
      for (const el of elements()) {
        const state = stateOf(el), source = sources.get(state.url);
        if (!urls.has(state.url)) continue;
        if (source.problem) { dispatch(el, "error"); continue; }
        if (el instanceof HTMLVideoElement && source.pts.length) {
          if (state.url.startsWith("data:")) { state.stripped = true; removeAttribute.call(el, "src"); el.load(); }
          // An empty image gives the video its size before its first frame loads.
          const size = `width="${source.width}" height="${source.height}"`;
          const svg = encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" ${size}/>`);
          if (!state.poster && !state.shown) setAttribute.call(el, "poster", "data:image/svg+xml," + svg);
        }
        dispatch(el, ...loadEvents);
      }
    },
    show(t) {
      const waits = [];
      forEachChange(t, (el, state, url) => waits.push(showFrame(el, state, url)));
      if (shared.videos) frame(() => forEachChange(t, showFrameSync));
      return waits;
    },
  };

  const all = (name, ...args) => [...apis()].flatMap((one) => one[name](...args) ?? []);
  shared.addSources ??= (list) => {
    for (const source of list) sources.set(source.url, source);
    all("sourcesAdded", new Set(list.map((source) => source.url)));
  };
  Object.defineProperty(window, key, { value: outer ? api : {
    ...api,
    // The functions that Helios calls. They apply to the page and its iframes.
    all,
    unknownSources() { all("findShadowRoots"); return [...new Set(all("unknown"))]; },
    addSources(list) { shared.addSources(list); },
    playback: () => spans.flatMap(describeSpan),
    setRate(rate) { shared.rate = rate; },
    wait(promise) {
      const unknown = new Promise((done) => { shared.onUnknown = () => done(false); });
      return Promise.race([Promise.resolve(promise).then(() => true), unknown]);
    },
    // frame shows the videos' frames for time t, in seconds. If time has moved, timers that are due fire first, and
    // next is the delay of the next mark in milliseconds.
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
