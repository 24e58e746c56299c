// The texts of encode/, which need no V8. The C++ unit tests are linked with this, too.

#include "encode/frame_text.cc"
#include "encode/profile_text.cc"
