{
  "variables": { "openssl_fips": "" },
  "targets": [
    {
      "target_name": "memprof",
      # Each file of native/unity includes several others, which then take a third of the time to compile. GCC inlines less in
      # large files, so those that samples and profiles pass through are kept below the size where that begins.
      "sources": [
        "native/encode/proto_snapshot.cc",
        "native/unity/base.cc",
        "native/unity/binding_1.cc",
        "native/unity/binding_2.cc",
        "native/unity/heap.cc",
        "native/unity/isolate.cc",
        "native/unity/texts.cc",
        "native/unity/v8_heap_1.cc",
        "native/unity/v8_heap_2.cc",
        "native/unity/v8_heap_3.cc"
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
        ["OS=='win'", { "defines": ["NOMINMAX"], "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20"] } } }]
      ]
    }
  ]
}
