#include "tests/support/shared_library.h"

#include <dlfcn.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace hourglass {

std::string LibraryPath(const std::string& soname) {
  void* const library = dlopen(soname.c_str(), RTLD_LAZY | RTLD_LOCAL);
  const link_map* map = nullptr;
  if (library == nullptr || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::abort();
  }
  const std::string path = map->l_name;
  dlclose(library);
  return path;
}

// Debian has the folder beside its libraries.
std::string Pkcs11ModulePath(const std::string& file_name) {
  const std::filesystem::path library = std::filesystem::canonical(LibraryPath("libcrypto.so.3"));
  return library.parent_path() / "pkcs11" / file_name;
}

}  // namespace hourglass
