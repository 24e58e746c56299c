// A function that newer versions of GCC call in libstdc++, and that older systems' libstdc++ does not have.
// Node.js itself needs GLIBCXX_3.4.21; without this the addon would need 3.4.29 (GCC 11), which RHEL 8 and
// Debian 11 lack.

#include <vector>

#ifdef __GLIBCXX__
namespace std {

// Weak, so that it gives way where libstdc++ is linked in.
__attribute__((weak)) void __throw_bad_array_new_length() { __throw_bad_alloc(); }

}  // namespace std
#endif
