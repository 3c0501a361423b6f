#include "issuance/edge/transport/made_contexts.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace hourglass::issuance {
namespace {

thread_local MadeContexts* current = nullptr;

using Companion = std::shared_ptr<void>;

}  // namespace

struct MadeContextsCallbacks {
  static void OnNew(void* context, void*, CRYPTO_EX_DATA*, int, long, void*) {
    if (current != nullptr) current->contexts_.push_back(static_cast<SSL_CTX*>(context));
  }

  static void OnFree(void* context, void* companion, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Companion*>(companion);
    if (current == nullptr) return;
    std::vector<SSL_CTX*>& contexts = current->contexts_;
    contexts.erase(std::remove(contexts.begin(), contexts.end(), context), contexts.end());
  }

  // Taken once: OpenSSL never forgets one.
  static int Index() {
    static const int index =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, OnNew, nullptr, OnFree);
    return index;
  }
};

MadeContexts::MadeContexts() {
  MadeContextsCallbacks::Index();
  current = this;
}

MadeContexts::~MadeContexts() { current = nullptr; }

bool MadeContexts::SetCompanion(SSL_CTX* context, std::shared_ptr<void> companion) {
  const int index = MadeContextsCallbacks::Index();
  auto* const earlier = static_cast<Companion*>(SSL_CTX_get_ex_data(context, index));
  auto kept = std::make_unique<Companion>(std::move(companion));
  if (SSL_CTX_set_ex_data(context, index, kept.get()) != 1) return false;
  static_cast<void>(kept.release());
  delete earlier;
  return true;
}

void* MadeContexts::CompanionOf(const SSL_CTX* context) {
  const auto* const companion =
      static_cast<const Companion*>(SSL_CTX_get_ex_data(context, MadeContextsCallbacks::Index()));
  return companion == nullptr ? nullptr : companion->get();
}

}  // namespace hourglass::issuance
