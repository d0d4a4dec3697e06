() => {
  // A page whose pictures nobody looks at can be lived through without frames: its animation callbacks are run by a
  // timer, and all of it happens in one go.
  const key = Symbol.for("helios.fastForward");
  const request = requestAnimationFrame.bind(window), { setTimeout } = window;
  const { now } = Performance.prototype;
  let callbacks = new Map(), running = new Map(), count = 0, asked = false;
  let leaping = false, fixed = null, hurry = false, wake = null, done = null;

  // Callbacks see the time of their frame, though timers count whole milliseconds.
  Performance.prototype.now = { now() { return fixed ?? now.call(this); } }.now;
  const run = (t) => {
    asked = false;
    [running, callbacks] = [callbacks, new Map()];
    for (const [id, callback] of running) {
      running.delete(id);
      try { callback(t); } catch (e) { reportError(e); }
    }
  };
  const ask = () => { if (!leaping && !asked && callbacks.size) { asked = true; request(run); } };
  window.requestAnimationFrame = { requestAnimationFrame(callback) {
    if (typeof callback !== "function") return request(callback);
    callbacks.set(++count, callback);
    ask();
    return count;
  } }.requestAnimationFrame;
  window.cancelAnimationFrame = { cancelAnimationFrame(id) { callbacks.delete(id); running.delete(id); } }.cancelAnimationFrame;

  // What a page is told only as part of a frame: wants are the kinds of it that it waits for.
  const wants = new Set();
  const kindOf = (type) => /^(webkit)?(animation|transition)/i.test(type) || type === "finish" || /^(begin|end|repeat)Event$/.test(type) ? "always" :
    /^scroll/.test(type) ? "scroll" : null;
  const want = (kind) => { if (kind) wants.add(kind); };
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = { addEventListener(type, ...rest) {
    want(kindOf(String(type)));
    return addEventListener.call(this ?? window, type, ...rest);
  } }.addEventListener;
  for (const owner of [window, Document.prototype, HTMLElement.prototype, SVGElement.prototype, Animation.prototype]) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      const kind = name.startsWith("on") && kindOf(name.slice(2));
      if (kind && property.set) Object.defineProperty(owner, name, { ...property, set(value) { want(kind); property.set.call(this, value); } });
    }
  }
  for (const owner of [Animation.prototype, AnimationTimeline.prototype]) for (const name of ["finished", "currentTime"]) {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (!property) continue;
    Object.defineProperty(owner, name, { ...property, get() { want("always"); return property.get.call(this); } });
  }
  for (const name of ["IntersectionObserver", "ResizeObserver"]) {
    window[name] = new Proxy(window[name], { construct(target, args, as) { want("always"); return Reflect.construct(target, args, as); } });
  }
  const inline = ["onanimationstart", "onanimationiteration", "onanimationend", "ontransitionrun", "ontransitionstart", "ontransitionend", "ontransitioncancel",
    "onscroll", "onbegin", "onend", "onrepeat"].map((name) => "[" + name + "]").join();

  // What would only be seen is not drawn.
  const change = (owner, names, how) => {
    for (const name of names) {
      const original = owner?.prototype[name];
      if (original) owner.prototype[name] = { [name](...args) { return how() ? original.apply(this, args) : undefined; } }[name];
    }
  };
  const strokes = ["fill", "stroke", "fillRect", "strokeRect", "fillText", "strokeText", "drawImage", "putImageData"];
  const drawn = () => !leaping;
  for (const owner of [window.CanvasRenderingContext2D, window.OffscreenCanvasRenderingContext2D]) change(owner, strokes, drawn);
  for (const owner of [window.WebGLRenderingContext, window.WebGL2RenderingContext]) {
    change(owner, ["clear", "drawArrays", "drawElements", "drawArraysInstanced", "drawElementsInstanced", "drawRangeElements"], drawn);
    change(owner, ["readPixels"], () => (want("always"), true));
  }
  change(window.CanvasRenderingContext2D, ["getImageData"], () => (want("always"), true));
  change(window.HTMLCanvasElement, ["toDataURL", "toBlob"], () => (want("always"), true));

  const windows = function* (w) {
    yield w;
    for (let i = 0; i < w.length; i++) try { if (w[i][key]) yield* windows(w[i]); } catch {}
  };
  // Unlike a message, a task is there at once, before virtual time goes on.
  const pause = scheduler.postTask.bind(scheduler, () => {}, { priority: "user-blocking" });
  const here = {
    run, fix(t) { fixed = t; },
    leap(on) { leaping = on; ask(); },
    // framed reports whether the page has to be lived through frame by frame.
    framed() {
      const { scrollHeight, clientHeight } = document.scrollingElement ?? {};
      return wants.has("always") || wants.has("scroll") && scrollHeight > clientHeight || document.querySelector(inline) !== null;
    },
  };
  const all = () => [...windows(window)].map((w) => [w, w[key]]);
  // step runs the callbacks of the frame at a time, in milliseconds.
  const step = async (t, seconds) => {
    for (const [, w] of all()) w.fix(t);
    if (typeof window.helios?.seek === "function") try { await window.helios.seek(seconds); } catch (e) { reportError(e); }
    for (const [w, { run, fix }] of all()) {
      const late = w.performance.timeOrigin - performance.timeOrigin;
      fix(late > 1 ? t - late : t);
      run(late > 1 ? t - late : t);
    }
    await pause(); // the rest of what they do is still done at that time
    for (const [, w] of all()) w.fix(null);
  };
  Object.defineProperty(window, key, { value: {
    ...here,
    anyFramed: () => all().some(([, w]) => w.framed()),
    // begin has the frames from one to another run as time goes on; frame n is at n * den / num seconds.
    begin(from, to, num, den) {
      for (const [, w] of all()) w.leap(true);
      hurry = false;
      done = (async () => {
        for (let n = from; n < to; n++) {
          const t = Math.ceil(n * 10000 * den / num - 1e-6) / 10, wait = Math.ceil(t - now.call(performance));
          if (wait > 0 && !hurry) await new Promise((next) => { wake = next; setTimeout(next, wait); });
          await step(t, n * den / num);
        }
      })();
    },
    // end runs those of the frames that are left.
    async end() {
      hurry = true;
      wake?.();
      await done;
      for (const [, w] of all()) w.leap(false);
    },
  } });
}
