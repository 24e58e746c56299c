/**
 * The figures that the addon's `readStatus` fills in, each named and described once: the type comes from this table,
 * and so do the figures where there is no addon. `native/binding/status.cc` gives them under the same names.
 */
export const NO_FIGURES = {
  /** `SamplerState` of `native/isolate/isolate_sampler.h`. */
  state: 0,
  /** The id and the `SamplerState` of each thread that has loaded memprof, in turns. */
  threads: new Uint32Array(0),

  heap: {
    /**
     * Who takes the calling thread's samples. `public`: V8 does, through its public interface. `direct`: memprof does,
     * see `start({ directSamples })`.
     */
    source: 'public' as 'public' | 'direct',
    /** Why samples are not taken directly although that was asked for; else null. */
    sourceProblem: null as string | null,
    /**
     * Mean bytes between two samples that the figures of records are for, in the whole process: the finest at which samples
     * were taken. 0 before the first start.
     */
    sampleInterval: 0,
    /** Mean bytes between two samples that the calling thread takes now; 0 when it is not profiled. */
    interval: 0,
    /**
     * Frames kept of a stack, in the calling thread; 0 before its first start. Unless `start` was given a depth, it is 512
     * where `source` is `direct`, else 64; and when half of `maxTableBytes` is used, new stacks are cut at 64 frames there, too.
     */
    stackDepth: 0,
    /**
     * Nanoseconds since the garbage collection that the calling thread's figures describe. In a thread that is not
     * profiled, it is the age of the oldest figures of those that are. 0 before any collection.
     */
    figuresAgeNs: 0,
    /** Samples that memprof has read. */
    samplesSeen: 0,
    /** Samples that V8 took, but that were gone before memprof could read them. */
    samplesLost: 0,
    /** Of the lost samples, those that were added to the records they most likely belong to. */
    samplesImputed: 0,
    /** Of the samples seen, those counted in records. The others wait for the end of their first collection. */
    samplesPublished: 0,
    /** Of the samples seen, those whose objects are still alive. */
    samplesLive: 0,
    /** How often samples were read. */
    harvests: 0,
    /** Garbage collections at which samples were not read, to keep within `maxOverhead` and `maxPause`. */
    skippedCollections: 0,
    /**
     * How often samples were read at a collection although that went beyond `maxOverhead` or `maxPause`, because the
     * last reading was too long ago: a minute, or longer where a reading each minute would take more than twice
     * `maxOverhead`. See `internal.harvestAgeLimitNs`.
     */
    overdueHarvests: 0,
    /**
     * The most that memprof added to the pause of one garbage collection, in nanoseconds of CPU time of the profiled thread.
     * Other programs that had the processor meanwhile are not in it; they are in `internal.longestPauseWallNs`.
     */
    longestPauseNs: 0,
    /** For how many samples one stands. It is always 1: samples of the heap are not thinned out, unlike those of buffers. */
    thinning: 1,
    /** How often somebody else stopped V8's sampler while memprof used it. */
    displaced: 0,
  },

  overhead: {
    /**
     * All that is metered, as a share of the wall time profiled: `reading` and `writing`, and `sampling` where it is
     * known. The samples of buffers are not in it, nor what `readRecords`, `readMemStats` and `status` take when the
     * program calls them, nor what runs on other threads.
     */
    total: 0,
    /** Reading samples, at garbage collections and for readers of profiles. */
    reading: 0,
    /** Taking samples, where memprof does; null where V8 takes them, because nothing tells how long that takes. */
    sampling: null as number | null,
    /** Making profiles on the threads that are profiled: source maps, text, proto and other formats. */
    writing: 0,
    /** `maxOverhead` of the calling thread; 0 before its first start. */
    limit: 0,
    /**
     * What `limit` bounds in the calling thread. `reading`: where V8 takes the samples, how many collections are read.
     * `total`: where memprof takes them in a range of intervals, the interval, up to the coarsest. `nothing`: where memprof
     * takes them at a fixed interval, each sample is taken and each collection read, whatever that costs.
     */
    limited: 'reading' as 'reading' | 'total' | 'nothing',
    /** The same as `total`, in the last minute. */
    lastMinute: 0,
  },

  tables: {
    /** Bytes of the tables in use. */
    usedBytes: 0,
    /** Bytes that the tables have taken from the system. */
    committedBytes: 0,
    /** `maxTableBytes`, which they stay below. */
    maxBytes: 0,
    /** Different frames. */
    frames: 0,
    /** Different stacks. */
    stacks: 0,
    /** Buckets: each is a stack, a size class and, with `labelThreads`, a thread. */
    buckets: 0,
    /** Stacks that were cut to their leaf frames because the tables are full. */
    cutStacks: 0,
    /** Samples counted as `(overflow)` because the tables are full. */
    overflowSamples: 0,
  },

  callSites: {
    /** Whether the calling thread's samples get the lines of their calls, see `start({ callSites })`. */
    running: false,
    /** Why they do not although `start` was asked for it; else null. */
    problem: null as string | null,
    /** Samples of the heap taken while lines were asked for, in all threads. The following counts are of these. */
    samples: 0,
    /** Those that have the line of their allocation. The last ones wait until their profile is read. */
    withLines: 0,
    /** Those for which V8 was not asked, because that had taken more than `maxOverhead` allows, or too many waited. */
    skipped: 0,
    /** Those for which V8 told nothing, or other functions than memprof had found. They keep the starts of functions. */
    unfit: 0,
    /** Those whose line V8 did not know, as of code that was compiled before. */
    unknown: 0,
  },

  buffers: {
    /** Whether the calling thread's buffers are sampled. */
    running: false,
    /** Why they are not although `start` was asked for it; else null. */
    problem: null as string | null,
    /**
     * Bytes of all Buffers and ArrayBuffers, sampled or not: of the calling thread, and of the threads whose buffers are or were
     * profiled.
     */
    bytes: 0,
    /** Mean bytes of buffers between two samples; 0 before buffers were sampled. */
    sampleInterval: 0,
    /** Buffers that were sampled. */
    samplesSeen: 0,
    /** Of these, those that are still alive. */
    samplesLive: 0,
    /** Sampled buffers that were not counted because too many were alive. */
    samplesDropped: 0,
    /**
     * For how many samples one stands at present, in the calling thread: more than 1 while sampling takes more time
     * than `maxOverhead` allows.
     */
    thinning: 1,
    /** The most that `thinning` has been in any thread since these records began; profiles of buffers say it, too. */
    mostThinning: 1,
    /** Bytes that the tables of buffers have taken from the system. */
    tableBytes: 0,
  },

  dump: {
    /** Where the calling thread writes its profile when its heap is full; null if it does not. */
    directory: null as string | null,
    /** Why there may be no such file although `start` was asked for it; else null. */
    problem: null as string | null,
  },

  internal: {
    /** Wall time profiled in nanoseconds, added up over threads. */
    runningNs: 0,
    /** CPU time of readings of samples at garbage collections. */
    harvestCpuNs: 0,
    /** CPU time of readings for readers of profiles. */
    readCpuNs: 0,
    /** What of both was V8's own part. */
    translateCpuNs: 0,
    /** CPU time of memprof's writers on the threads that are profiled. */
    writeCpuNs: 0,
    /** Samples that memprof took itself, and the wall time of that. */
    directSamples: 0,
    directSampleNs: 0,
    /** Of these, samples that V8 took as well, to be compared or to tell the stack, and the wall time of that. */
    v8Samples: 0,
    v8SampleNs: 0,
    /** What lines of calls took: wall time of samples, and time on V8's thread. Part of `overhead.sampling`. */
    callSiteNs: 0,
    /** Stacks that were equal to V8's, stacks that V8 was asked for, and those of them that were read where V8 keeps them. */
    stacksCompared: 0,
    stacksAskedOfV8: 0,
    stacksReadInPlace: 0,
    /** CPU time of memprof's own thread, which puts stacks into the tables. No part of `overhead`. */
    backgroundCpuNs: 0,
    /** Wall time of the calling thread's last reading of samples. */
    lastHarvestNs: 0,
    /** As `heap.longestPauseNs`, in wall time: with what other programs did meanwhile. */
    longestPauseWallNs: 0,
    /** After how long a reading is overdue, in the calling thread; 0 before its first start. */
    harvestAgeLimitNs: 0,
    /** Nodes of V8's call trees that are known. */
    treeNodes: 0,
    /** Bytes of the threads' own maps. */
    isolateBytes: 0,
    /** Threads that have loaded memprof, of these those that are profiled, and those that ended. */
    isolates: 0,
    isolatesRunning: 0,
    isolatesEnded: 0,
  },
};

export type NativeStatus = typeof NO_FIGURES;
