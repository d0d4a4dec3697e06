() => {
  // Runs a page without frames of Chromium. Timers call the animation callbacks, and drawing calls do nothing.
  const key = Symbol.for("helios.fastForward");
  const request = requestAnimationFrame.bind(window), { setTimeout } = window;
  const { now } = Performance.prototype;
  let callbacks = new Map(), running = new Map(), count = 0, requested = false;
  let active = false, fixed = null, hurry = false, wake = null, done = null;

  // Callbacks see the exact time of their frame, although timers fire at whole milliseconds.
  Performance.prototype.now = { now() { return fixed ?? now.call(this); } }.now;
  const run = (t) => {
    requested = false;
    [running, callbacks] = [callbacks, new Map()];
    for (const [id, callback] of running) {
      running.delete(id);
      try { callback(t); } catch (e) { reportError(e); }
    }
  };
  const requestNative = () => { if (!active && !requested && callbacks.size) { requested = true; request(run); } };
  window.requestAnimationFrame = { requestAnimationFrame(callback) {
    if (typeof callback !== "function") return request(callback);
    callbacks.set(++count, callback);
    requestNative();
    return count;
  } }.requestAnimationFrame;
  window.cancelAnimationFrame = { cancelAnimationFrame(id) {
    callbacks.delete(id);
    running.delete(id);
  } }.cancelAnimationFrame;

  // The page needs real frames once it uses something that only real frames report. A need is "always", or "scroll",
  // which matters only if the page can scroll.
  const needs = new Set();
  const needOf = (type) => {
    if (/^(webkit)?(animation|transition)|^(begin|end|repeat)Event$/i.test(type) || type === "finish") return "always";
    return /^scroll/.test(type) ? "scroll" : null;
  };
  const need = (kind) => { if (kind) needs.add(kind); };
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = { addEventListener(type, ...rest) {
    need(needOf(String(type)));
    return addEventListener.call(this ?? window, type, ...rest);
  } }.addEventListener;
  for (const owner of [window, Document.prototype, HTMLElement.prototype, SVGElement.prototype, Animation.prototype]) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      const kind = name.startsWith("on") && needOf(name.slice(2));
      if (!kind || !property.set) continue;
      Object.defineProperty(owner, name, { ...property, set(value) { need(kind); property.set.call(this, value); } });
    }
  }
  /** @type {[object, string][]} */
  const getters = [
    [Animation.prototype, "finished"], [Animation.prototype, "currentTime"],
    [AnimationTimeline.prototype, "currentTime"],
  ];
  for (const [owner, name] of getters) {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { ...property, get() { need("always"); return property.get.call(this); } });
  }
  for (const name of ["IntersectionObserver", "ResizeObserver"]) {
    window[name] = new Proxy(window[name], {
      construct(target, args, as) { need("always"); return Reflect.construct(target, args, as); },
    });
  }
  const inlineHandlers = ["animationstart", "animationiteration", "animationend", "transitionrun", "transitionstart",
    "transitionend", "transitioncancel", "scroll", "begin", "end", "repeat"].map((name) => "[on" + name + "]").join();

  // Drawing calls do nothing while the page is fast-forwarded. Reading pixels needs real frames.
  const guard = (owner, names, allowed) => {
    for (const name of names) {
      const original = owner?.prototype[name];
      if (!original) continue;
      owner.prototype[name] = { [name](...args) { return allowed() ? original.apply(this, args) : undefined; } }[name];
    }
  };
  const drawing2D = ["fill", "stroke", "fillRect", "strokeRect", "fillText", "strokeText", "drawImage", "putImageData"];
  const drawingGL = ["clear", "drawArrays", "drawElements", "drawArraysInstanced", "drawElementsInstanced",
    "drawRangeElements"];
  const inactive = () => !active;
  const readback = () => (need("always"), true);
  for (const owner of [window.CanvasRenderingContext2D, window.OffscreenCanvasRenderingContext2D]) {
    guard(owner, drawing2D, inactive);
  }
  for (const owner of [window.WebGLRenderingContext, window.WebGL2RenderingContext]) {
    guard(owner, drawingGL, inactive);
    guard(owner, ["readPixels"], readback);
  }
  guard(window.CanvasRenderingContext2D, ["getImageData"], readback);
  guard(window.HTMLCanvasElement, ["toDataURL", "toBlob"], readback);

  const windows = function* (w) {
    yield w;
    for (let i = 0; i < w.length; i++) try { if (w[i][key]) yield* windows(w[i]); } catch {}
  };
  // task runs after pending promise callbacks. Chromium queues it synchronously, unlike a message, so virtual time does
  // not advance before it runs.
  const task = scheduler.postTask.bind(scheduler, () => {}, { priority: "user-blocking" });
  const self = {
    run,
    fix(t) { fixed = t; },
    activate(on) { active = on; requestNative(); },
    needsFrames() {
      const { scrollHeight, clientHeight } = document.scrollingElement ?? {};
      return needs.has("always") || needs.has("scroll") && scrollHeight > clientHeight ||
        document.querySelector(inlineHandlers) !== null;
    },
  };
  const all = () => [...windows(window)].map((w) => [w, w[key]]);
  // step runs the callbacks of the frame at t, in milliseconds.
  const step = async (t, seconds) => {
    for (const [, w] of all()) w.fix(t);
    try {
      if (typeof window.helios?.seek === "function") await window.helios.seek(seconds);
    } catch (e) { reportError(e); }
    for (const [w, { run, fix }] of all()) {
      const offset = w.performance.timeOrigin - performance.timeOrigin;
      fix(offset > 1 ? t - offset : t);
      run(offset > 1 ? t - offset : t);
    }
    await task(); // promise callbacks still see the time of the frame
    for (const [, w] of all()) w.fix(null);
  };
  Object.defineProperty(window, key, { value: {
    ...self,
    anyNeedsFrames: () => all().some(([, w]) => w.needsFrames()),
    // start runs frame from and the following ones, up to but excluding frame to, as time advances. Frame n is at
    // n * den / num seconds.
    start(from, to, num, den) {
      for (const [, w] of all()) w.activate(true);
      hurry = false;
      done = (async () => {
        for (let n = from; n < to; n++) {
          const t = Math.ceil(n * 10000 * den / num - 1e-6) / 10, wait = Math.ceil(t - now.call(performance));
          if (wait > 0 && !hurry) await new Promise((next) => { wake = next; setTimeout(next, wait); });
          await step(t, n * den / num);
        }
      })();
    },
    // finish runs the remaining frames at once.
    async finish() {
      hurry = true;
      wake?.();
      await done;
      for (const [, w] of all()) w.activate(false);
    },
  } });
}
