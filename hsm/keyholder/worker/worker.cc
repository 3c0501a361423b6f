#include "hsm/keyholder/worker/worker.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/custodian.h"
#include "hsm/key/sealer.h"
#include "hsm/keyholder/process/confinement.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/keyholder/protocol/packet.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "hsm/keyholder/worker/listing_in_parts.h"
#include "hsm/pkcs11/pkcs11_custodian.h"
#include "hsm/tpm/tpm_custodian.h"

namespace hourglass::hsm {
namespace {

using keyholder::Reply;
using keyholder::Request;
using Outcome = PacketBuffer::Outcome;

// Whoever waits for an answer for much longer takes the module for hung: what is not signed by then
// is asked for again.
constexpr std::chrono::milliseconds kLongestPart(500);

constexpr int kParentGone = 0;
constexpr int kCannotServe = 1;
constexpr int kNoSuchPacket = 2;

void Wipe(std::string* secret) { OPENSSL_cleanse(secret->data(), secret->size()); }

[[noreturn]] void Exit(int code, const char* why) {
  std::fprintf(stderr, "hourglass-keyholder: %s\n", why);
  _exit(code);
}

// What all threads of the process share.
class Keyholder {
 public:
  explicit Keyholder(const Holding& holding) {
    if (const auto* token = std::get_if<TokenUri>(&holding.custodian)) {
      Pkcs11CustodianOptions options;
      // And one to make keys in, opened when it is needed: signatures do not wait for that.
      options.sessions = holding.threads + 1;
      // Whoever starts workers sees to it that a refused PIN is tried by one of them.
      options.logs_in_again = false;
      auto custodian = CreatePkcs11Custodian(*token, options);
      token_ = custodian.get();
      custodian_ = std::move(custodian);
    } else {
      // What tpm2-tss has to say is in our errors, unless somebody asked for more.
      setenv("TSS2_LOG", "all+NONE", 0);
      auto tpm = TpmCustodian::Create(std::get<TpmConnection>(holding.custodian));
      sealer_ = tpm.get();
      custodian_ = std::move(tpm);
    }
  }

  // Ends the process, once what other threads are doing is done: a module that is interrupted in
  // its login may leave its token broken. Not for ever, since modules hang.
  [[noreturn]] void Leave(int code) {
    alarm(kSecondsWithoutParent);
    const std::unique_lock<std::shared_mutex> lock(under_way_);
    _exit(code);
  }

  // False where the request asks for nothing.
  bool Answer(Request& request, bool administers, Reply* reply) {
    const std::shared_lock<std::shared_mutex> lock(under_way_);
    if (request.operation_case() != Request::OPERATION_NOT_SET &&
        IsAdministrative(request) != administers) {
      WriteFailure(Error(ErrorReason::kKeyNotPermitted, custodian_->name(),
                         "this socket is not for such a request"),
                   reply->mutable_failure());
      return true;
    }
    absl::Status done;
    switch (request.operation_case()) {
      case Request::kSign:
        done = Sign(request.sign(), reply);
        break;
      case Request::kOpen:
        done = AnswerKey(custodian_->Open(ReadSelector(request.open())), reply);
        break;
      case Request::kGenerate:
        done = Generate(request.generate(), reply);
        break;
      case Request::kDestroy:
        done = custodian_->Destroy(ReadSelector(request.destroy()));
        break;
      case Request::kList:
        done = list_.Answer(request.list(), reply);
        break;
      case Request::kSeal:
        done = Seal(*request.mutable_seal(), reply);
        break;
      case Request::kUnseal:
        done = Unseal(*request.mutable_unseal(), reply);
        break;
      case Request::kGreet:
        done = Greet(reply);
        break;
      case Request::OPERATION_NOT_SET:
        return false;
    }
    if (!done.ok()) WriteFailure(done, reply->mutable_failure());
    Count(reply->mutable_counters());
    return true;
  }

 private:
  absl::Status Sign(const keyholder::SignBatch& batch, Reply* reply) {
    ASSIGN_OR_RETURN(const CustodialKey key, ReadSignBatch(batch));
    absl::Status beyond_help;
    const auto begun = std::chrono::steady_clock::now();
    for (const std::string& digest : batch.digests()) {
      if (reply->signatures_size() > 0 &&
          std::chrono::steady_clock::now() - begun >= kLongestPart) {
        reply->set_unfinished(true);
        break;
      }
      keyholder::Signature& answer = *reply->add_signatures();
      absl::StatusOr<std::string> signature =
          beyond_help.ok() ? custodian_->SignDigest(key, digest) : beyond_help;
      if (signature.ok()) {
        answer.set_octets(*std::move(signature));
        continue;
      }
      WriteFailure(signature.status(), answer.mutable_failure());
      // The rest would only wait for the same end.
      if (NeedsNewCustodian(signature.status())) beyond_help = std::move(signature).status();
    }
    return absl::OkStatus();
  }

  absl::Status AnswerKey(const absl::StatusOr<CustodialKey>& key, Reply* reply) {
    if (key.ok()) WriteKey(*key, reply->mutable_key());
    return key.status();
  }

  absl::Status Generate(const keyholder::Generate& request, Reply* reply) {
    ASSIGN_OR_RETURN(const KeyType type, ReadKeyType(request.key_type()));
    return AnswerKey(custodian_->Generate(ReadSelector(request.key()), type), reply);
  }

  absl::Status Seal(keyholder::Seal& request, Reply* reply) {
    absl::StatusOr<std::string> blob = SealNow(request);
    Wipe(request.mutable_secret());
    Wipe(request.mutable_recovery_code());
    if (!blob.ok()) return blob.status();
    reply->set_octets(*std::move(blob));
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> SealNow(const keyholder::Seal& request) {
    RETURN_IF_ERROR(CheckSealer());
    ASSIGN_OR_RETURN(const SealAuthorization authorization,
                     ReadAuthorization(request.authorization()));
    return sealer_->Seal(request.secret(),
                         PcrSelection(request.registers().begin(), request.registers().end()),
                         authorization, request.recovery_code());
  }

  absl::Status Unseal(keyholder::Unseal& request, Reply* reply) {
    RETURN_IF_ERROR(CheckSealer());
    absl::StatusOr<std::string> secret = sealer_->Unseal(request.blob(), request.recovery_code());
    Wipe(request.mutable_recovery_code());
    if (!secret.ok()) return secret.status();
    reply->set_octets(*secret);
    Wipe(&*secret);
    return absl::OkStatus();
  }

  absl::Status CheckSealer() const {
    if (sealer_ != nullptr) return absl::OkStatus();
    return Error(ErrorReason::kInternalError, custodian_->name(), "seals nothing");
  }

  absl::Status Greet(Reply* reply) {
    ASSIGN_OR_RETURN(const CustodianFacts facts, custodian_->Greet());
    WriteFacts(facts, reply->mutable_facts());
    return absl::OkStatus();
  }

  void Count(keyholder::Counters* counters) const {
    const CustodianStatus status = custodian_->Status();
    counters->set_logins(status.logins);
    counters->set_sessions(status.sessions);
    for (const auto& [name, count] : status.errors) (*counters->mutable_errors())[name] = count;
  }

  std::shared_mutex under_way_;  // shared by whoever answers
  std::unique_ptr<KeyCustodian> custodian_;
  TokenCustodian* token_ = nullptr;  // custodian_, where it is one
  Sealer* sealer_ = nullptr;         // as above
  // A TPM has room for a few keys only.
  ListingInParts list_{
      [this] { return token_ != nullptr ? token_->ListInParts() : KeysAtOnce(custodian_.get()); }};
};

bool HoldsSecret(const Request& request) { return request.has_seal() || request.has_unseal(); }

void Deliver(int socket, PacketBuffer& buffer, const Reply& reply, Keyholder& keyholder) {
  switch (buffer.Send(socket, reply)) {
    case Outcome::kDone:
      return;
    case Outcome::kHungUp:
      keyholder.Leave(kParentGone);
    case Outcome::kWouldBlock:
    case Outcome::kUnfit:
      Exit(kCannotServe, "cannot send a reply");
  }
}

// One of the threads that wait for the next request, whichever gets it.
[[noreturn]] void Serve(int socket, bool administers, Keyholder& keyholder) {
  PacketBuffer buffer;
  // Kept from one request to the next, for their memory.
  Request request;
  Reply reply;
  for (;;) {
    switch (buffer.Receive(socket, &request)) {
      case Outcome::kDone:
        break;
      case Outcome::kHungUp:
        keyholder.Leave(kParentGone);
      case Outcome::kWouldBlock:
      case Outcome::kUnfit:
        Exit(kNoSuchPacket, "got what is no request");
    }
    const bool secret = HoldsSecret(request);
    if (secret) buffer.Wipe();
    reply.Clear();
    reply.set_id(request.id());
    if (!keyholder.Answer(request, administers, &reply))
      Exit(kNoSuchPacket, "got a request for nothing");
    Deliver(socket, buffer, reply, keyholder);
    if (!secret) continue;
    buffer.Wipe();
    Wipe(reply.mutable_octets());
  }
}

}  // namespace

void RunKeyholder(int signing, int administration) {
  keyholder::Start start;
  const Outcome received = PacketBuffer().Receive(signing, &start);
  if (received == Outcome::kHungUp) _exit(kParentGone);
  if (received != Outcome::kDone) Exit(kNoSuchPacket, "got what is no start");
  const absl::StatusOr<Holding> holding = ReadStart(start);
  if (!holding.ok()) {
    Exit(kNoSuchPacket, std::string(holding.status().message()).c_str());
  }
  Keyholder keyholder(*holding);
  std::vector<std::thread> threads;
  try {
    if (administration >= 0) {
      threads.emplace_back([=, &keyholder] { Serve(administration, true, keyholder); });
    }
    for (int i = 1; i < holding->threads; ++i) {
      threads.emplace_back([signing, &keyholder] { Serve(signing, false, keyholder); });
    }
  } catch (const std::system_error& error) {
    Exit(kCannotServe, error.what());
  }
  Serve(signing, false, keyholder);
}

}  // namespace hourglass::hsm
