// Declarations that TypeScript's DOM library lacks, and the properties that Helios and compositions add to a page.

interface ScriptPolicy {
  createScriptURL(url: string): string;
}

interface Window {
  helios?: { seek?(seconds: number): unknown };
  stream: { start(width: number, height: number): Promise<string> };
  __HELIOS_PROPS__: unknown;
  trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };
}

declare const scheduler: {
  postTask<T>(callback: () => T, options?: { priority?: string; delay?: number }): Promise<T>;
};

declare class MediaStreamTrackProcessor {
  constructor(init: { track: MediaStreamTrack; maxBufferSize?: number });
  readonly readable: ReadableStream<VideoFrame>;
}

interface FileSystemFileHandle {
  createSyncAccessHandle(): Promise<{
    truncate(size: number): void;
    write(bytes: BufferSource, options?: { at?: number }): number;
  }>;
}

interface PerformanceEntry {
  readonly responseStatus?: number;
}
