// Runs in a world of its own beside the page. Gives what takes pictures of the page as they lie in memory.
async (layout, ringWorker) => {
  const address = URL.createObjectURL(new Blob([`(${ringWorker})()`], { type: "text/javascript" }));
  const worker = new Worker(address);
  const problem = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve(event.message || "the page allows no worker");
    worker.postMessage(layout);
  });
  URL.revokeObjectURL(address);
  if (problem) return problem;

  // How many wanted frames there were, and are over, how many pictures were taken of the last, and what is wrong with them.
  let frames = 0, over = 0, taken = 0, wrong = "";
  const take = (canvas) => {
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    worker.postMessage(frame, [frame]);
    taken++;
  };

  // A box that lets through what is inside it as it is.
  const plain = {
    opacity: "1", transform: "none", translate: "none", rotate: "none", scale: "none", filter: "none", clipPath: "none", maskImage: "none",
    mixBlendMode: "normal", visibility: "visible", perspective: "none", offsetPath: "none", zoom: "1", contentVisibility: "visible", clip: "auto",
  };
  // One whose content is all of it.
  const unframed = { borderTopWidth: "0px", borderLeftWidth: "0px", borderRightWidth: "0px", borderBottomWidth: "0px",
    paddingTop: "0px", paddingLeft: "0px", paddingRight: "0px", paddingBottom: "0px" };
  const bare = { ...plain, ...unframed, objectFit: "fill", objectPosition: "50% 50%", borderTopLeftRadius: "0px", borderTopRightRadius: "0px",
    borderBottomLeftRadius: "0px", borderBottomRightRadius: "0px", outlineStyle: "none" };
  const oddity = (style, wanted) => Object.keys(wanted).find((name) => style[name] !== undefined && style[name] !== wanted[name]);

  // The canvas that is all there is to see of the page; throws a reason if there is none.
  const onlyCanvas = () => {
    const seen = [];
    const walk = (element) => {
      const style = getComputedStyle(element);
      if (style.display === "none") return;
      if (element instanceof HTMLCanvasElement) { seen.push([element, style]); return; }
      if (!/^(HTML|BODY|DIV|MAIN|SECTION|ARTICLE)$/.test(element.tagName)) throw `there is a ${element.tagName.toLowerCase()} element`;
      if (element.shadowRoot) throw "there is a shadow tree";
      if (style.position === "fixed" || style.overflow !== "visible" && style.borderTopLeftRadius !== "0px") throw "what holds the canvas clips it";
      const odd = oddity(style, plain);
      if (odd) throw `what holds the canvas has a style of ${odd}`;
      for (const pseudo of ["::before", "::after", "::marker"]) {
        const { content, display } = getComputedStyle(element, pseudo);
        if (content !== "none" && content !== "normal" || pseudo === "::marker" && display === "list-item") throw `there is content made by ${pseudo}`;
      }
      for (const node of element.childNodes) {
        if (node.nodeType === Node.TEXT_NODE && node.data.trim()) throw "there is text";
        if (node.nodeType === Node.ELEMENT_NODE) walk(node);
        if (seen.length > 1) throw "there is more than one canvas";
      }
    };
    walk(document.documentElement);
    if (!seen.length) throw "there is no canvas";
    const [canvas, style] = seen[0];
    const odd = oddity(style, bare);
    if (odd) throw `the canvas has a style of ${odd}`;
    if (canvas.width !== layout.width || canvas.height !== layout.height) throw `the canvas has ${canvas.width}x${canvas.height} pixels`;
    const box = canvas.getBoundingClientRect();
    if (box.x || box.y || box.width !== layout.width || box.height !== layout.height) throw "the canvas does not fill the page";
    return canvas;
  };
  const attempt = (what) => { try { return what(); } catch (error) { wrong ||= String(error); } };

  // What drawElementImage leaves out of a page's picture, or draws otherwise; throws it if the page has some.
  const missed = ["iframe", "embed", "object", "frame", "fencedframe"];
  const animated = /\.(gif|webp|apng|avif)([?#]|$)|^data:image\/(gif|webp|apng|avif)/i;
  const nothingMissed = () => {
    const there = missed.find((name) => content.getElementsByTagName(name).length);
    if (there) throw `there is a ${there} element`;
    for (const canvas of canvases) {
      if (!canvas.checkVisibility()) continue;
      const style = getComputedStyle(canvas);
      if (style.width !== `${canvas.width}px` || style.height !== `${canvas.height}px`) throw "a canvas is not shown at its own size";
      if (oddity(style, unframed)) throw "a canvas has a frame";
    }
    if ([...content.images].some((image) => animated.test(image.currentSrc))) throw "there is an image that may be animated";
  };

  // The canvas of the stage, with the page's frame inside.
  let stale = true; // a change of the page is drawn only in a frame that is wanted
  const stage = document.querySelector("canvas[layoutsubtree]");
  const page = stage?.querySelector("iframe"), content = page?.contentDocument;
  const canvases = content?.getElementsByTagName("canvas");
  if (page) {
    // Chromium draws a large page in tiles, each with a border of a pixel, and antialiases an edge by the part of it
    // that is in the tile.
    const tiles = [], size = 256, step = size - 2;
    const whole = stage.width <= 512 && stage.height <= 512;
    for (let y = 0; y === 0 || !whole && y + 2 < stage.height; y += step) {
      for (let x = 0; x === 0 || !whole && x + 2 < stage.width; x += step) {
        tiles.push([x, y, whole ? stage.width : size, whole ? stage.height : size]);
      }
    }
    const context = stage.getContext("2d", { alpha: false });
    // drawElementImage puts what a canvas shows at the origin of the coordinates that its box lies in, which is the box's
    // own place if it is moved or turned. An animation turns it by nothing: neither the page's styles nor its attributes show that.
    const moved = new WeakSet();
    const move = () => {
      for (const canvas of canvases) {
        if (moved.has(canvas)) continue;
        moved.add(canvas);
        const animation = canvas.animate({ rotate: ["0deg", "0deg"] }, { fill: "both", composite: "add" });
        animation.finish();
        animation.persist();
      }
    };
    move();
    new MutationObserver(move).observe(content, { childList: true, subtree: true });
    content.addEventListener("helios-shadow-tree", () => wrong ||= "there is a shadow tree");
    stage.onpaint = () => attempt(() => {
      stale = frames === over;
      if (stale) return;
      nothingMissed();
      for (const [x, y, width, height] of tiles) {
        context.save();
        context.beginPath();
        context.rect(x, y, width, height);
        context.clip();
        context.fillStyle = "#fff";
        context.fillRect(x, y, width, height);
        context.drawElementImage(page, 0, 0);
        context.restore();
      }
      take(stage);
    });
  }

  // A frame is wanted if this is heard before it. Its callback is called after all of the page's own.
  let request, tell = () => {};
  const { port1: end, port2: ends } = new MessageChannel();
  (content ?? document).addEventListener("helios-frame", () => {
    cancelAnimationFrame(request);
    request = requestAnimationFrame(() => {
      frames++;
      taken = 0;
      attempt(() => {
        if (!page) take(onlyCanvas());
        // Of what a canvas shows, Chromium does not say when it changes.
        else if (stale || canvases.length) stage.requestPaint();
      });
      end.postMessage(frames); // comes after the frame
    });
  });
  ends.onmessage = ({ data }) => {
    over = data;
    tell();
  };
  const state = () => ({ frames, taken, wrong });
  window.raw = {
    take, state,
    ended: (n) => over >= n ? state() : new Promise((done) => { tell = () => over >= n && done(state()); }),
  };
  return "";
}
