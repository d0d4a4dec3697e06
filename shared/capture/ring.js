// Runs in a worker: copies frames of the page into a ring of slots in a file of the page's origin. The layout
// is that of ring.go. Whatever goes wrong is written into the head of the file, where those who wait look.
async () => {
  let file, layout, pixels, done = 0;
  const head = new Uint8Array(256);

  const open = async (data) => {
    layout = data;
    const folder = await navigator.storage.getDirectory();
    file = await (await folder.getFileHandle(layout.name, { create: true })).createSyncAccessHandle();
    pixels = new Uint8Array(layout.width * layout.height * 4);
    head.set(new TextEncoder().encode(layout.name));
    write(head, 0);
  };
  const write = (bytes, at) => {
    const count = file.write(bytes, { at });
    if (count !== bytes.length) throw new Error(`only ${count} of ${bytes.length} bytes found room`);
  };
  const put = async (frame) => {
    try {
      if (frame.codedWidth !== layout.width || frame.codedHeight !== layout.height) {
        throw new Error(`the picture is ${frame.codedWidth}x${frame.codedHeight}, not ${layout.width}x${layout.height}`);
      }
      await frame.copyTo(pixels, { format: "BGRA" });
    } finally {
      frame.close();
    }
    write(pixels, layout.start + (done % layout.slots) * pixels.length);
    // Twice, so that nobody takes a number that is half written for the right one.
    new BigUint64Array(head.buffer, layout.counter, 2).fill(BigInt(++done));
    write(head, 0);
  };
  const fail = (error) => {
    head.fill(0, layout.problem).set(new TextEncoder().encode(String(error)).subarray(0, head.length - layout.problem - 1), layout.problem);
    write(head, 0);
    throw error;
  };

  let last = Promise.resolve();
  onmessage = ({ data }) => {
    if (data instanceof VideoFrame) last = last.then(() => put(data)).catch(fail);
    else open(data).then(() => postMessage(""), (error) => postMessage(String(error)));
  };
}
