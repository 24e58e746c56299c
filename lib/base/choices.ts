// The values of options that take a word. The table of options and the code that acts on the values share them.

/** Formats of the files that `memprof/register` and `memprof run` write. */
export const fileFormats = ['pb.gz', 'txt'] as const;
export type FileFormat = (typeof fileFormats)[number];

/** Formats that `memprof convert` writes. */
export const convertFormats = ['pb.gz', 'txt', 'heapprofile', 'folded'] as const;
export type ConvertFormat = (typeof convertFormats)[number];

/** Formats that `writeTo` writes with `debug` 0. */
export const writeFormats = ['pprof', 'heapprofile', 'folded'] as const;

/** Formats of `encode`. */
export const encodeFormats = ['pprof', 'text', 'heapprofile', 'folded'] as const;

/** The four values of a heap profile's samples, in pprof's order. */
export const heapSampleTypes = ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space'] as const;

/** The units by which reports add up figures. `places` is memprof's own: functions and where they are. Others are Go's. */
export const granularities = ['places', 'functions', 'filefunctions', 'files', 'lines', 'addresses'] as const;
export type Granularity = (typeof granularities)[number];

/** How reports are written. */
export const reportFormats = ['text', 'md', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];
