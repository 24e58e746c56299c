{
  "variables": { "openssl_fips": "" },
  "targets": [
    {
      "target_name": "memprof",
      "sources": [
        "native/binding/addon.cc",
        "native/binding/bench.cc",
        "native/binding/explain.cc",
        "native/binding/figures.cc",
        "native/binding/instance.cc",
        "native/binding/labels.cc",
        "native/binding/moments.cc",
        "native/binding/memory.cc",
        "native/binding/pool_job.cc",
        "native/binding/proto.cc",
        "native/binding/records.cc",
        "native/binding/status.cc",
        "native/heap/allocation_counter.cc",
        "native/heap/async_labels.cc",
        "native/base/arena.cc",
        "native/base/background.cc",
        "native/buffers/buffer_allocator.cc",
        "native/buffers/buffer_profile.cc",
        "native/buffers/buffer_sampler.cc",
        "native/base/clocks.cc",
        "native/heap/call_joiner.cc",
        "native/heap/known_calls.cc",
        "native/heap/call_paths.cc",
        "native/heap/call_sites.cc",
        "native/heap/cost_budget.cc",
        "native/isolate/doorbell.cc",
        "native/dump/dump_file.cc",
        "native/encode/frame_text.cc",
        "native/gc/gc_clock.cc",
        "native/gc/malloc_state.cc",
        "native/gc/memory_map.cc",
        "native/heap/cpu_profiler_threads.cc",
        "native/heap/cpu_samples.cc",
        "native/heap/direct_comparison.cc",
        "native/heap/direct_sampler.cc",
        "native/heap/function_check.cc",
        "native/heap/function_table.cc",
        "native/heap/harvest.cc",
        "native/dump/heap_limit_dump.cc",
        "native/heap/heap_moments.cc",
        "native/heap/heap_walk.cc",
        "native/heap/retaining_paths.cc",
        "native/isolate/explanation.cc",
        "native/heap/imputer.cc",
        "native/heap/interval_steering.cc",
        "native/isolate/isolate_registry.cc",
        "native/isolate/isolate_sampler.cc",
        "native/isolate/sampler_moments.cc",
        "native/base/libstdcxx_compat.cc",
        "native/isolate/loop_call.cc",
        "native/gc/mem_figures.cc",
        "native/tables/label_sets.cc",
        "native/tables/profile_tables.cc",
        "native/base/thread_stack.cc",
        "native/encode/profile_text.cc",
        "native/encode/proto_snapshot.cc",
        "native/buffers/stack_cache.cc",
        "native/heap/line_counter.cc",
        "native/heap/maglev_lines.cc",
        "native/heap/safe_memory.cc",
        "native/heap/sampled_stacks.cc",
        "native/heap/script_texts.cc",
        "native/heap/snapshot_names.cc",
        "native/heap/stack_interner.cc",
        "native/heap/stack_resolver.cc",
        "native/heap/stack_walk.cc",
        "native/heap/step_hook.cc",
        "native/heap/thread_ranges.cc",
        "native/heap/v8_layout.cc",
        "native/heap/v8_samples.cc"
      ],
      "include_dirs": ["native", "<!(node -p \"try { require('node-addon-api').include_dir } catch { 'vendor/node-addon-api' }\")"],
      "defines": [
        "NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED",
        # A worker may be terminated in the middle of any call: then nothing can be thrown, and that is no reason to abort.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++14"],
      "cflags_cc": [
        "-std=gnu++20", "-fvisibility=hidden", "-fvisibility-inlines-hidden",
        "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-deprecated-declarations", "-Wno-cast-function-type"
      ],
      "conditions": [
        ["OS=='linux'", {
          # What is not used is left out of the binary.
          "cflags_cc": ["-ffunction-sections", "-fdata-sections"],
          "ldflags": [
            "-Wl,--gc-sections", "-Wl,-z,nodelete", "-Wl,--exclude-libs,ALL", "-Wl,--version-script=<(module_root_dir)/native/exports.map"
          ]
        }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "MACOSX_DEPLOYMENT_TARGET": "11.0"
          }
        }],
        ["OS=='win'", { "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20"] } } }]
      ]
    }
  ]
}
