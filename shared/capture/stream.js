// Streams the tab to a worker. Runs before the page's scripts, in an isolated world that they cannot see.
(path, policy, layout) => {
  if (self !== top || location.protocol === "about:") return;
  // A page on plain http has neither getDisplayMedia nor OPFS.
  if (!isSecureContext) { self.stream = { start: async () => "insecure" }; return; }

  let worker, track;
  const opened = new Promise((resolve) => {
    try {
      const trust = self.trustedTypes?.createPolicy(policy, { createScriptURL: (address) => address });
      const address = location.origin + path;
      worker = new Worker(trust ? trust.createScriptURL(address) : address);
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => resolve(`its worker did not start: ${event.message || "the script was blocked"}`);
      worker.postMessage(layout);
    } catch (error) {
      resolve(`its worker did not start: ${error}`);
    }
  });

  // Chromium may time out before a frame is drawn: after a process swap, the page's clock runs freely for a while.
  const capture = async (video) => {
    for (let again = 9; ; again--) {
      try {
        return (await navigator.mediaDevices.getDisplayMedia({ video })).getVideoTracks()[0];
      } catch (error) {
        if (error.name !== "AbortError" || !again) throw error;
      }
    }
  };

  // start resolves to an error message, or "".
  const start = async (width, height) => {
    const problem = await opened;
    if (problem) return problem;
    try {
      track = await capture({ frameRate: { ideal: 1000, max: 1000 }, width, height });
      const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 8 });
      const reading = new Promise((resolve) => { worker.onmessage = resolve; });
      worker.postMessage(readable, [readable]);
      await reading;
      return "";
    } catch (error) {
      return String(error);
    }
  };
  self.stream = { start };
}
