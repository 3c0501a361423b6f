#include "issuance/edge/transport/watched_reads.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <utility>

namespace hourglass::issuance {
namespace {

using SslRead = int (*)(SSL*, void*, int);

// OpenSSL's, which this file's stands before.
SslRead OpensslRead() {
  static const auto read = reinterpret_cast<SslRead>(dlsym(RTLD_NEXT, "SSL_read"));
  return read;
}

struct Watched {
  std::unique_ptr<ReadWatcher> watcher;
  bool is_broken = false;
};

void FreeWatched(void*, void* watched, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Watched*>(watched);
}

// Taken once: OpenSSL never forgets one.
int Index() {
  static const int index =
      CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, nullptr, nullptr, nullptr, FreeWatched);
  return index;
}

int Break(Watched& watched) {
  watched.is_broken = true;
  ERR_raise(ERR_LIB_SSL, SSL_R_DATA_LENGTH_TOO_LONG);
  return -1;
}

int Read(SSL* ssl, void* octets, int size) {
  auto* const watched = static_cast<Watched*>(SSL_get_ex_data(ssl, Index()));
  if (watched != nullptr && watched->is_broken) return Break(*watched);
  const int read = OpensslRead()(ssl, octets, size);
  if (watched == nullptr || read <= 0) return read;
  const absl::string_view seen(static_cast<const char*>(octets), static_cast<std::size_t>(read));
  return watched->watcher->OnRead(ssl, seen) ? read : Break(*watched);
}

}  // namespace

bool WatchReads(SSL* ssl, std::unique_ptr<ReadWatcher> watcher) {
  auto* const earlier = static_cast<Watched*>(SSL_get_ex_data(ssl, Index()));
  if (earlier != nullptr) {
    earlier->watcher = std::move(watcher);
    return true;
  }
  auto kept = std::make_unique<Watched>();
  kept->watcher = std::move(watcher);
  if (SSL_set_ex_data(ssl, Index(), kept.get()) != 1) return false;
  static_cast<void>(kept.release());
  return true;
}

bool ReadsAreWatched() {
  return OpensslRead() != nullptr &&
         dlsym(RTLD_DEFAULT, "SSL_read") != reinterpret_cast<void*>(OpensslRead());
}

}  // namespace hourglass::issuance

extern "C" __attribute__((visibility("default"))) int SSL_read(SSL* ssl, void* octets, int size) {
  return hourglass::issuance::Read(ssl, octets, size);
}
