#include "issuance/edge/handshake_gate.h"

#include <openssl/x509_vfy.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/openssl.h"
#include "issuance/edge/transport/frame_bounds.h"
#include "issuance/edge/transport/made_contexts.h"
#include "issuance/edge/transport/message_size.h"
#include "issuance/edge/transport/watched_reads.h"
#include "issuance/identity/caller_certificate.h"

namespace hourglass::issuance {
namespace {

std::string RandomOf(const SSL* ssl) {
  std::string random(SSL3_RANDOM_SIZE, '\0');
  SSL_get_client_random(ssl, reinterpret_cast<unsigned char*>(random.data()), random.size());
  return random;
}

std::vector<const X509*> ChainOf(X509_STORE_CTX* store) {
  std::vector<const X509*> chain;
  const STACK_OF(X509)* const verified = X509_STORE_CTX_get0_chain(store);
  for (int i = 0; i < sk_X509_num(verified); ++i) chain.push_back(sk_X509_value(verified, i));
  return chain;
}

// What OpenSSL makes an alert of.
int VerifyErrorOf(const absl::Status& refusal) {
  switch (ReasonOf(refusal)) {
    case ErrorReason::kCallerCertificateExpired:
      return X509_V_ERR_CERT_HAS_EXPIRED;
    case ErrorReason::kCallerRefused:
      return X509_V_ERR_CERT_REVOKED;
    default:
      return X509_V_ERR_CERT_REJECTED;
  }
}

absl::Status UnverifiedChain(int error) {
  const bool is_period =
      error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
  return Error(is_period ? ErrorReason::kCallerCertificateExpired : ErrorReason::kCallerUnknown, "",
               X509_verify_cert_error_string(error));
}

}  // namespace

class HandshakeGate::Judge {
 public:
  Judge(const CallerDirectory* callers, ConnectionTable* table, OpenCalls* open_calls,
        const EventLog* log)
      : callers_(callers), table_(table), open_calls_(open_calls), log_(log) {}

  void Retire() {
    const WriterMutexLock lock(mutex_);
    callers_ = nullptr;
  }

  // As SSL_CTX_set_cert_verify_callback(3) wants it.
  static int OnCertificate(X509_STORE_CTX* store, void*) {
    auto* const ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* const judge = static_cast<Judge*>(MadeContexts::CompanionOf(SSL_get_SSL_CTX(ssl)));
    const std::string random = RandomOf(ssl);
    if (judge != nullptr && judge->Verify(store, random) && judge->WatchFrames(ssl, random)) {
      return 1;
    }
    SendAlertOf(ssl);
    // A failure must have a cause, or OpenSSL goes on where the peer need not have a certificate.
    if (X509_STORE_CTX_get_error(store) == X509_V_OK) {
      X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    }
    return 0;
  }

  // gRPC drops what OpenSSL writes when a handshake fails: the alert, which is all that a client
  // learns. It is sent by the acceptor's descriptor instead. All that was written before has been
  // sent, or there would be no certificate yet.
  static void SendAlertOf(const SSL* ssl) {
    BIO* const out = SSL_get_wbio(ssl);
    if (out == nullptr) return;
    BIO_set_callback_arg(out, const_cast<char*>(reinterpret_cast<const char*>(ssl)));
    BIO_set_callback_ex(out, OnWritten);
  }

  // As BIO_set_callback_ex(3) wants it.
  static long OnWritten(BIO* out, int operation, const char* octets, std::size_t, int, long,
                        int result, std::size_t* written) {
    if (operation != (BIO_CB_WRITE | BIO_CB_RETURN) || result <= 0 || written == nullptr) {
      return result;
    }
    const auto* const ssl = reinterpret_cast<const SSL*>(BIO_get_callback_arg(out));
    auto* const judge = static_cast<Judge*>(MadeContexts::CompanionOf(SSL_get_SSL_CTX(ssl)));
    if (judge == nullptr) return result;
    const ReaderMutexLock lock(judge->mutex_);
    if (judge->callers_ != nullptr) judge->table_->Send(RandomOf(ssl), {octets, *written});
    return result;
  }

  // The client's Finished is what proves that it has the certificate's key: CertificateVerify came
  // before it and was verified.
  static void OnMessage(int is_sent, int, int content_type, const void* message, std::size_t size,
                        SSL* ssl, void*) {
    if (content_type != SSL3_RT_HANDSHAKE || is_sent != 0 || size == 0) return;
    if (*static_cast<const unsigned char*>(message) != SSL3_MT_FINISHED) return;
    auto* const judge = static_cast<Judge*>(MadeContexts::CompanionOf(SSL_get_SSL_CTX(ssl)));
    if (judge == nullptr) return;
    const ReaderMutexLock lock(judge->mutex_);
    if (judge->callers_ != nullptr) judge->table_->Prove(RandomOf(ssl));
  }

 private:
  class FrameWatcher : public ReadWatcher {
   public:
    FrameWatcher(int most_octets, std::unique_ptr<OpenCalls::Connection> calls)
        : bounds_(most_octets), calls_(std::move(calls)) {}

    bool OnRead(const SSL* ssl, absl::string_view octets) override {
      std::string wrong = bounds_.Take(octets);
      const int begun = bounds_.TakeBegun();
      if (wrong.empty() && begun > 0) {
        wrong = calls_->Begin(begun, std::chrono::steady_clock::now());
      }
      if (wrong.empty()) return true;
      auto* const judge = static_cast<Judge*>(MadeContexts::CompanionOf(SSL_get_SSL_CTX(ssl)));
      if (judge != nullptr) judge->LogEnd(RandomOf(ssl), wrong);
      return false;
    }

   private:
    FrameBounds bounds_;
    const std::unique_ptr<OpenCalls::Connection> calls_;
  };

  bool WatchFrames(SSL* ssl, const std::string& random) {
    const ReaderMutexLock lock(mutex_);
    if (callers_ == nullptr) return false;
    const int most = table_->IsAdministrators(random) ? kMaxImportSize : kMaxMessageSize;
    return WatchReads(ssl,
                      std::make_unique<FrameWatcher>(
                          most, open_calls_->Open(table_->PeerOf(random), table_->CallerOf(random),
                                                  std::chrono::steady_clock::now())));
  }

  void LogEnd(const std::string& random, absl::string_view why) {
    const ReaderMutexLock lock(mutex_);
    if (callers_ == nullptr) return;
    log_->Warning(
        "connection_ended",
        {{"peer", table_->PeerOf(random)}, {"caller", table_->CallerOf(random)}, {"message", why}});
  }

  bool Verify(X509_STORE_CTX* store, const std::string& random) {
    const ReaderMutexLock lock(mutex_);
    if (callers_ == nullptr) return false;
    if (X509_verify_cert(store) != 1) {
      Log(random, X509_STORE_CTX_get0_cert(store),
          UnverifiedChain(X509_STORE_CTX_get_error(store)));
      return false;
    }
    absl::StatusOr<AdmittedPeer> admitted = callers_->Admit(ChainOf(store));
    if (admitted.ok()) return table_->Admit(random, *std::move(admitted));
    X509_STORE_CTX_set_error(store, VerifyErrorOf(admitted.status()));
    Log(random, X509_STORE_CTX_get0_cert(store), admitted.status());
    return false;
  }

  void Log(const std::string& random, const X509* certificate, const absl::Status& refusal) const {
    std::string name;
    if (certificate != nullptr) {
      const auto read = ReadCallerCertificate(*certificate);
      if (read.ok()) name = NameForLog(*read);
    }
    table_->KeepQuiet(random);
    log_->Warning("connection_refused", {{"peer", table_->PeerOf(random)},
                                         {"reason", ErrorReasonName(ReasonOf(refusal))},
                                         {"message", refusal.message()},
                                         {"certificate", name}});
  }

  SharedMutex mutex_;
  const CallerDirectory* callers_ ABSL_GUARDED_BY(mutex_);  // null when all is over
  ConnectionTable* const table_;
  OpenCalls* const open_calls_;
  const EventLog* const log_;
};

HandshakeGate::HandshakeGate(const CallerDirectory* callers, ConnectionTable* table,
                             OpenCalls* open_calls, const EventLog* log)
    : judge_(std::make_shared<Judge>(callers, table, open_calls, log)) {}

HandshakeGate::~HandshakeGate() { judge_->Retire(); }

absl::Status HandshakeGate::Guard(const std::vector<SSL_CTX*>& contexts) const {
  if (contexts.empty()) return absl::InternalError("the TLS library made no context of OpenSSL's");
  if (!ReadsAreWatched()) return absl::InternalError("OpenSSL's SSL_read cannot be replaced");
  for (SSL_CTX* context : contexts) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_num_tickets(context, 0) != 1 || !MadeContexts::SetCompanion(context, judge_)) {
      return absl::InternalError(DrainOpensslErrors());
    }
    SSL_CTX_set_cert_verify_callback(context, Judge::OnCertificate, nullptr);
    SSL_CTX_set_msg_callback(context, Judge::OnMessage);
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
