// What a library reads from a TLS connection, seen before it has it.
#ifndef HOURGLASS_ISSUANCE_EDGE_TRANSPORT_WATCHED_READS_H_
#define HOURGLASS_ISSUANCE_EDGE_TRANSPORT_WATCHED_READS_H_

#include <openssl/ssl.h>

#include <memory>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// gRPC shows nobody the octets that it decrypts, and OpenSSL has no callback for them. So this
// library defines SSL_read(3) in place of OpenSSL's, for the whole process (ld.so(8): the program's
// own symbols come first), and asks the watcher of the connection, where it has one, before it
// returns what was read. All other connections are read as without it.
class ReadWatcher {
 public:
  virtual ~ReadWatcher() = default;
  // False: the connection is broken, and this read and all later ones fail with SSL_ERROR_SSL. On
  // the thread that reads; never on two at once.
  virtual bool OnRead(const SSL* ssl, absl::string_view octets) = 0;
};

// Keeps `watcher` until `ssl` is freed, in place of an earlier one. False where OpenSSL has no
// memory.
bool WatchReads(SSL* ssl, std::unique_ptr<ReadWatcher> watcher);

// Whether other libraries' calls of SSL_read come here: false where they are linked otherwise.
bool ReadsAreWatched();

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_TRANSPORT_WATCHED_READS_H_
