// The TLS contexts of a library that does not show them.
#ifndef HOURGLASS_ISSUANCE_EDGE_TRANSPORT_MADE_CONTEXTS_H_
#define HOURGLASS_ISSUANCE_EDGE_TRANSPORT_MADE_CONTEXTS_H_

#include <openssl/ssl.h>

#include <memory>
#include <vector>

namespace hourglass::issuance {

// Notes every SSL_CTX that this thread makes while this object lives, by the callbacks that OpenSSL
// has for applications' data (CRYPTO_get_ex_new_index(3)). Not to be nested.
class MadeContexts {
 public:
  MadeContexts();
  ~MadeContexts();
  MadeContexts(const MadeContexts&) = delete;
  MadeContexts& operator=(const MadeContexts&) = delete;

  // Those that were not freed by this thread meanwhile.
  const std::vector<SSL_CTX*>& contexts() const { return contexts_; }

  // Keeps `companion` until the context is freed, in place of an earlier one; false where OpenSSL
  // has no memory. CompanionOf gives it back, null where there is none.
  static bool SetCompanion(SSL_CTX* context, std::shared_ptr<void> companion);
  static void* CompanionOf(const SSL_CTX* context);

 private:
  friend struct MadeContextsCallbacks;

  std::vector<SSL_CTX*> contexts_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_TRANSPORT_MADE_CONTEXTS_H_
