// attempts tries to load the files secret.* below a URL with every API of the web, and returns the names of the APIs
// that loaded one. An attempt fails after attempts.timeout milliseconds.
async function attempts(base) {
  const url = (file) => base + "/" + file + "?" + Math.random();
  const add = (tag, attributes, parent = document.body) => {
    const e = parent.appendChild(document.createElement(tag));
    return Object.assign(e, attributes);
  };
  const loaded = (e) =>
    new Promise((resolve, reject) => { e.onload = e.onloadedmetadata = resolve; e.onerror = reject; });
  const opened = (e) =>
    new Promise((resolve, reject) => { e.onopen = resolve; e.onerror = reject; }).finally(() => e.close());
  // The document sends a message to its opener or parent.
  const messaged = (open) => new Promise((resolve) => {
    const id = String(Math.random());
    addEventListener("message", (m) => { if (m.data === id) resolve(); });
    open(url("secret.html") + "#" + id);
  });
  const blob = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const succeeded = (worker) => new Promise((resolve, reject) => {
    worker.onmessage = (m) => (m.data === "ok" ? resolve() : reject());
    worker.onerror = reject;
  });
  const fetched = (u) => new Promise((resolve) => {
    const ok = (entry) => entry.name === u && entry.responseStatus === 200;
    new PerformanceObserver((list) => { if (list.getEntries().some(ok)) resolve(); })
      .observe({ type: "resource", buffered: true });
  });
  const apis = {
    fetch: async () => {
      const text = await (await fetch(url("secret.txt"))).text();
      if (!text.includes("the text of a secret")) throw 0;
    },
    "fetch without CORS": () => {
      const u = url("secret.txt");
      fetch(u, { mode: "no-cors" }).catch(() => {});
      return fetched(u);
    },
    XMLHttpRequest: () => new Promise((resolve, reject) => {
      const x = new XMLHttpRequest();
      x.onload = () => (x.responseText.includes("the text of a secret") ? resolve() : reject());
      x.onerror = reject;
      x.open("GET", url("secret.txt"));
      x.send();
    }),
    "fetch in a worker": () => succeeded(new Worker(blob(`
      fetch("${url("secret.txt")}").then(r => r.text())
        .then(t => postMessage(t.includes("the text of a secret") ? "ok" : t), () => postMessage("no"))`))),
    "script of a worker": () => succeeded(new Worker(blob(`
      try { importScripts("${url("secret.js")}"); postMessage("ok") } catch { postMessage("no") }`))),
    image: () => loaded(add("img", { src: url("secret.png") })),
    "background image": () => {
      const u = url("secret.png");
      add("div", {}).style.background = `url(${u})`;
      document.body.getBoundingClientRect();
      return fetched(u);
    },
    "image in SVG": () => {
      const svg = document.body.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
      const image = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "image"));
      const done = loaded(image);
      image.setAttribute("href", url("secret.png"));
      return done;
    },
    script: () => loaded(add("script", { src: url("secret.js") })),
    module: () => import(url("secret.js")),
    stylesheet: () => loaded(add("link", { rel: "stylesheet", href: url("secret.css") }, document.head)),
    preload: () => loaded(add("link", { as: "script", rel: "preload", href: url("secret.js") }, document.head)),
    font: () => {
      const u = url("secret.woff2");
      new FontFace("secret", `url(${u})`).load().catch(() => {});
      return fetched(u);
    },
    video: () => loaded(add("video", { src: url("secret.wav") })),
    iframe: () => messaged((u) => add("iframe", { src: u })),
    object: () => messaged((u) => add("object", { data: u })),
    embed: () => messaged((u) => add("embed", { src: u })),
    window: () => messaged((u) => window.open(u)),
    EventSource: () => opened(new EventSource(url("secret.events"))),
    WebSocket: () => opened(new WebSocket(url("secret.socket").replace(/^http/, "ws"))),
  };
  const names = await Promise.all(Object.entries(apis).map(async ([name, load]) => {
    try {
      await Promise.race([load(), new Promise((_, reject) => setTimeout(reject, attempts.timeout))]);
      return name;
    } catch {
      return null;
    }
  }));
  return names.filter(Boolean).sort();
}
attempts.timeout = 0; // milliseconds; tests set it
