(fps) => {
  // Media elements of a page do not play by themselves: Chromium gets no media, a video paints the frame that is
  // set here, as its poster, and scripts that ask an element where it is are told what it shows.
  const key = Symbol.for("helios.media");
  const own = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name);
  const Media = HTMLMediaElement.prototype, Video = HTMLVideoElement.prototype;
  const { getAttribute, setAttribute, removeAttribute, attachShadow } = Element.prototype;
  const frame = requestAnimationFrame.bind(window);
  const timestamp = performance.now.bind(performance);

  let outer;
  try { outer = window !== top && top[key]; } catch {}
  // What is known of the sources, by address: {pts, grain, width, height, duration, frames, problem}.
  const shared = outer ? outer.shared : { sources: new Map(), count: 0, drawn: false, videos: false, asked() {} };
  const { sources } = shared;

  // The time of the composition in seconds. Chromium's clock is up to 0.1 ms ahead of a frame.
  const now = () => {
    const t = timestamp() / 1000, frame = Math.floor(t * fps + 1e-6) / fps;
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
    if (!url) return null;
    if (known?.url === url) return known;
    const state = {
      url, id: ++shared.count, early: false, played: false, paused: false, at: null, base: null, shown: null, image: null,
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
    if (!state.paused) position += Math.max(0, t - Math.max(state.at ?? 0, offsetOf(el))) * rateOf(el);
    const duration = sources.get(state.url)?.duration;
    if (!(duration > 0)) return position;
    if (!loops(el)) return Math.min(position, duration);
    position %= duration;
    return duration - position < 1e-6 ? 0 : position;
  };

  // move notes that from now on an element goes on from a position.
  const move = (el, state, change = () => {}) => {
    const t = now();
    state.base = positionOf(el, state, t);
    state.at = t;
    change();
  };
  const tell = (el, ...types) => queueMicrotask(() => { for (const type of types) el.dispatchEvent(new Event(type)); });

  // Chromium finds no media in the answers that it gets; a page is told so only when there is none.
  const hush = (e) => {
    const el = e.target instanceof HTMLSourceElement ? e.target.parentNode : e.target;
    if (!e.isTrusted || !(el instanceof HTMLMediaElement) || !stateOf(el)) return;
    e.stopImmediatePropagation();
    if (!sources.has(stateOf(el).url)) shared.asked();
  };
  const listen = (target) => EventTarget.prototype.addEventListener.call(target, "error", hush, true);
  listen(window);

  const roots = new Set([document]), played = new Set();
  const keep = (root) => { if (!roots.has(root)) { roots.add(root); listen(root); } return root; };
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
    if (state) move(this, state, () => rateProperty.set.call(this, value));
    else rateProperty.set.call(this, value);
  } });
  const { play, pause } = Media;
  Media.play = { play() {
    const state = stateOf(this);
    played.add(this);
    if (!state) return play.call(this);
    if (!state.early && !state.played) {
      state.base ??= seconds(attribute(this, "seek"));
      state.at = now();
    } else if (state.paused) move(this, state);
    state.paused = false;
    state.played = true;
    tell(this, "play", "playing");
    if (!sources.has(state.url)) shared.asked();
    return Promise.resolve();
  } }.play;
  Media.pause = { pause() {
    const state = stateOf(this);
    if (!state) return pause.call(this);
    if (state.paused) return;
    move(this, state);
    state.paused = true;
    tell(this, "pause");
  } }.pause;
  Video.requestVideoFrameCallback = { requestVideoFrameCallback(callback) {
    return requestAnimationFrame((t) => callback(t, {
      presentationTime: t, expectedDisplayTime: t, width: this.videoWidth, height: this.videoHeight,
      mediaTime: this.currentTime, presentedFrames: Math.round(now() * fps) + 1, processingDuration: 0,
    }));
  } }.requestVideoFrameCallback;
  Video.cancelVideoFrameCallback = { cancelVideoFrameCallback(id) { cancelAnimationFrame(id); } }.cancelVideoFrameCallback;

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
    begin() { for (const el of elements()) stateOf(el).early = true; },
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
        tell(el, "durationchange", "loadedmetadata", "loadeddata", "canplay", "canplaythrough");
      }
    },
    show(t) {
      const waits = [];
      change(t, (el, state, url) => waits.push(paint(el, state, url)));
      if (shared.videos) frame(() => change(t, paintNow));
      return waits;
    },
    describe: () => elements().map((el) => ({
      kind: el instanceof HTMLVideoElement ? "video" : "audio", url: stateOf(el).url,
      seek: String(attribute(el, "seek") ?? stateOf(el).base ?? ""), muted: el.muted || flag(el, "no-audio"), loop: loops(el),
      volume: attribute(el, "volume") ?? String(el.volume), rate: attribute(el, "rate") ?? String(rateProperty.get.call(el)),
      ...Object.fromEntries(["offset", "duration", "fade-in", "fade-out", "track-id"].map((name) => [name, attribute(el, name) ?? ""])),
    })),
  };

  Object.defineProperty(window, key, { value: outer ? api : {
    ...api,
    // What Helios calls, for all frames of the page.
    all: (name, ...args) => [...apis()].flatMap((one) => one[name](...args) ?? []),
    search() { this.all("scan"); return [...new Set(this.all("unknown"))]; },
    learn(list) {
      for (const source of list) sources.set(source.url, source);
      this.all("learned", new Set(list.map((source) => source.url)));
    },
    wait(promise) {
      const asked = new Promise((done) => { shared.asked = () => done(false); });
      return Promise.race([Promise.resolve(promise).then(() => true), asked]);
    },
    async frame(t) {
      await Promise.all(this.all("show", t));
      return { unknown: [...new Set(this.all("unknown"))], drawn: shared.drawn };
    },
  } });
}
