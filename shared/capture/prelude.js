(seed, props) => {
  // sfc32 by Chris Doty-Humphrey, public domain: fast, and good enough for every statistical test that a
  // composition could run.
  let a = seed, b = 0x9e3779b9, c = 0x243f6a88, count = 1;
  const next = () => {
    const sum = (a + b + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  Math.random = () => next() / 4294967296;
  Crypto.prototype.getRandomValues = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = next();
    return array;
  };

  // Chromium computes these times from the start of the machine. Rounding removes the floating-point noise.
  const clean = (ms) => Math.round(ms * 1000) / 1000;
  const { now } = Performance.prototype;
  Performance.prototype.now = { now() { return clean(now.call(this)); } }.now;

  // The kinds of animation that the page uses, for Inspect.
  const used = new Set();
  Object.defineProperty(window, Symbol.for("helios.used"), { value: used });
  const record = (owner, name, kind, change = (args) => args) => {
    const original = owner[name];
    owner[name] = { [name](...args) {
      used.add(kind(args));
      return original.apply(this, change(args));
    } }[name];
  };
  const withCleanTime = (callback) =>
    typeof callback === "function" ? (timestamp) => callback(clean(timestamp)) : callback;
  record(window, "requestAnimationFrame", () => "animation-frame",
    ([callback, ...rest]) => [withCleanTime(callback), ...rest]);
  record(window, "setTimeout", () => "timer");
  record(window, "setInterval", () => "timer");
  record(HTMLCanvasElement.prototype, "getContext", ([type]) => String(type).startsWith("web") ? "webgl" : "canvas");

  // The flags with which Helios captures the tab also give every page access to a camera, a microphone and the tab.
  // Here, the page gets the same errors as in a browser without devices.
  const reject = (owner, name, error) => {
    if (!owner?.prototype[name]) return;
    owner.prototype[name] = { [name]() { return Promise.reject(new DOMException(error[0], error[1])); } }[name];
  };
  reject(window.MediaDevices, "getUserMedia", ["Requested device not found", "NotFoundError"]);
  reject(window.MediaDevices, "getDisplayMedia", ["Not supported", "NotSupportedError"]);
  if (window.MediaDevices) {
    MediaDevices.prototype.enumerateDevices = { enumerateDevices() { return Promise.resolve([]); } }.enumerateDevices;
  }
  for (const name of ["getUserMedia", "webkitGetUserMedia"]) {
    if (Navigator.prototype[name]) Navigator.prototype[name] = { [name](constraints, done, failed) {
      failed(new DOMException("Requested device not found", "NotFoundError"));
    } }[name];
  }

  // Chromium puts an element that CSS moves into its own layer, and repaints a layer only when its scale has changed
  // by half. Frames would be blurred and depend on earlier ones. This hint on the root prevents such layers.
  new MutationObserver(() => {
    const root = document.documentElement;
    if (root?.style && root.style.willChange !== "contents") root.style.willChange = "contents";
  }).observe(document, { childList: true });

  if (props !== undefined) window.__HELIOS_PROPS__ = props;
}
