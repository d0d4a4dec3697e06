// Runs in a worker. Copies the frames of a stream into a ring of slots in a file. ring.go describes the layout.
const attempts = 20; // a script of the page may hold a file open
let file, layout, done = 0;
const head = new Uint8Array(256);

const write = (bytes, at) => {
  const count = file.write(bytes, { at });
  if (count !== bytes.length) throw new Error(`wrote ${count} of ${bytes.length} bytes`);
};

const open = async (given) => {
  layout = given;
  const folder = await navigator.storage.getDirectory();
  for (let i = 0; !file; i++) {
    try {
      file = await (await folder.getFileHandle(layout.name + i, { create: true })).createSyncAccessHandle();
    } catch (error) {
      if (i === attempts) throw error;
    }
  }
  file.truncate(layout.start + layout.slots * layout.slotSize);
  head.set(new TextEncoder().encode(layout.name));
  write(head, 0);
};

const copy = async (readable) => {
  const slot = new Uint8Array(layout.slotSize);
  const info = new BigInt64Array(slot.buffer, 0, 3), pixels = slot.subarray(layout.pixels);
  const reader = readable.getReader();
  postMessage("");
  for (;;) {
    const { value: frame, done: ended } = await reader.read();
    if (ended) throw new Error("the stream of the tab ended");
    const { format, visibleRect: { width, height }, timestamp, duration } = frame;
    if (format !== "I420" || width !== layout.width || height !== layout.height) {
      throw new Error(`a frame is ${width}x${height} in ${format}, not ${layout.width}x${layout.height} in I420`);
    }
    await frame.copyTo(pixels);
    frame.close();
    info.set([BigInt(++done), BigInt(timestamp), BigInt(duration)]);
    write(slot, layout.start + ((done - 1) % layout.slots) * layout.slotSize);
    // Twice, so that a reader detects a number that is half written.
    new BigUint64Array(head.buffer, layout.counter, 2).fill(BigInt(done));
    write(head, 0);
  }
};

onmessage = ({ data }) => {
  if (!(data instanceof ReadableStream)) {
    open(data).then(() => postMessage(""), (error) => postMessage(`it cannot write a file: ${error}`));
    return;
  }
  copy(data).catch((error) => {
    const text = new TextEncoder().encode(String(error)).subarray(0, head.length - layout.problem - 1);
    head.fill(0, layout.problem).set(text, layout.problem);
    write(head, 0);
  });
};
