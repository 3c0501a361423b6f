// Where Debian keeps a shared library, whatever the machine's architecture.
#ifndef HOURGLASS_TESTS_SUPPORT_SHARED_LIBRARY_H_
#define HOURGLASS_TESTS_SUPPORT_SHARED_LIBRARY_H_

#include <string>

namespace hourglass {

// The path of the library that the dynamic linker finds under `soname` (`libcrypto.so.3`). Ends the
// process where there is none. Safe to call from several threads.
std::string LibraryPath(const std::string& soname);

// The PKCS#11 module that p11-kit's folder of modules has under `file_name`.
std::string Pkcs11ModulePath(const std::string& file_name);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SHARED_LIBRARY_H_
