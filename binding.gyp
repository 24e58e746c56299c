{
  "variables": { "openssl_fips": "" },
  "targets": [
    {
      "target_name": "memprof",
      "sources": [
        "native/addon.cc",
        "native/addon_bench.cc",
        "native/addon_figures.cc",
        "native/addon_proto.cc",
        "native/addon_records.cc",
        "native/allocation_counter.cc",
        "native/arena.cc",
        "native/buffer_allocator.cc",
        "native/buffer_profile.cc",
        "native/buffer_sampler.cc",
        "native/clocks.cc",
        "native/cost_budget.cc",
        "native/doorbell.cc",
        "native/dump_file.cc",
        "native/frame_text.cc",
        "native/gc_clock.cc",
        "native/harvest.cc",
        "native/heap_limit_dump.cc",
        "native/imputer.cc",
        "native/isolate_registry.cc",
        "native/isolate_sampler.cc",
        "native/libstdcxx_compat.cc",
        "native/mem_figures.cc",
        "native/profile_tables.cc",
        "native/profile_text.cc",
        "native/proto_snapshot.cc",
        "native/stack_cache.cc",
        "native/stack_interner.cc"
      ],
      "include_dirs": ["<!(node -p \"try { require('node-addon-api').include_dir } catch { 'vendor/node-addon-api' }\")"],
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
          "ldflags": [
            "-Wl,-z,nodelete", "-Wl,--exclude-libs,ALL", "-Wl,--version-script=<(module_root_dir)/native/exports.map"
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
