// attempts tries every way that a page has to get at the files secret.* below an address, and returns the
// names of those that worked.
async function attempts(base) {
  const url = (file) => base + "/" + file + "?" + Math.random();
  const add = (tag, attributes, parent = document.body) => {
    const e = parent.appendChild(document.createElement(tag));
    return Object.assign(e, attributes);
  };
  const loaded = (e) => new Promise((yes, no) => { e.onload = e.onloadedmetadata = yes; e.onerror = no; });
  const opened = (e) => new Promise((yes, no) => { e.onopen = yes; e.onerror = no; }).finally(() => e.close());
  // A document tells its opener or parent that it runs.
  const told = (show) => new Promise((yes) => {
    const id = String(Math.random());
    addEventListener("message", (m) => { if (m.data === id) yes(); });
    show(url("secret.html") + "#" + id);
  });
  const blob = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const heard = (worker) => new Promise((yes, no) => {
    worker.onmessage = (m) => (m.data === "ok" ? yes() : no());
    worker.onerror = no;
  });
  const fetched = (u) => new Promise((yes) =>
    new PerformanceObserver((l) => l.getEntries().forEach((e) => { if (e.name === u && e.responseStatus === 200) yes(); }))
      .observe({ type: "resource", buffered: true }));
  const ways = {
    fetch: async () => { if (!(await (await fetch(url("secret.txt"))).text()).includes("the text of a secret")) throw 0; },
    "fetch without CORS": () => {
      const u = url("secret.txt");
      fetch(u, { mode: "no-cors" }).catch(() => {});
      return fetched(u);
    },
    XMLHttpRequest: () => new Promise((yes, no) => {
      const x = new XMLHttpRequest();
      x.onload = () => (x.responseText.includes("the text of a secret") ? yes() : no());
      x.onerror = no;
      x.open("GET", url("secret.txt"));
      x.send();
    }),
    "fetch in a worker": () => heard(new Worker(blob(
      `fetch("${url("secret.txt")}").then(r => r.text()).then(t => postMessage(t.includes("the text of a secret") ? "ok" : t), () => postMessage("no"))`))),
    "script of a worker": () => heard(new Worker(blob(`try { importScripts("${url("secret.js")}"); postMessage("ok") } catch { postMessage("no") }`))),
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
    iframe: () => told((u) => add("iframe", { src: u })),
    object: () => told((u) => add("object", { data: u })),
    embed: () => told((u) => add("embed", { src: u })),
    window: () => told((u) => window.open(u)),
    EventSource: () => opened(new EventSource(url("secret.events"))),
    WebSocket: () => opened(new WebSocket(url("secret.socket").replace(/^http/, "ws"))),
  };
  const worked = await Promise.all(Object.entries(ways).map(async ([name, way]) => {
    try {
      await Promise.race([way(), new Promise((_, no) => setTimeout(no, attempts.patience))]);
      return name;
    } catch {
      return null;
    }
  }));
  return worked.filter(Boolean).sort();
}
attempts.patience = 0; // of an attempt, in milliseconds; tests set it
