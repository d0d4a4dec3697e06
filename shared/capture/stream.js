// Runs in a world that the page's scripts cannot see, before they run. Streams the tab to a worker.
(path, policy, layout) => {
  if (self !== top || location.protocol === "about:") return;

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

  // start resolves to what went wrong, "" for nothing.
  const start = async (width, height) => {
    const problem = await opened;
    if (problem) return problem;
    try {
      const video = { frameRate: { ideal: 1000, max: 1000 }, width, height };
      [track] = (await navigator.mediaDevices.getDisplayMedia({ video })).getVideoTracks();
      const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 8 });
      worker.postMessage(readable, [readable]);
      return "";
    } catch (error) {
      return String(error);
    }
  };
  self.stream = { start };
}
