#include "hsm/tpm/tpm_custodian.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/tpm/custodian_record.h"
#include "hsm/tpm/esys_connection.h"
#include "hsm/tpm/key_description.h"
#include "hsm/tpm/pin_gate.h"
#include "hsm/tpm/resident_key.h"
#include "hsm/tpm/response_code.h"
#include "hsm/tpm/sealing.h"
#include "hsm/tpm/storage_key.h"
#include "hsm/tpm/tpm_facts.h"

namespace hourglass::hsm {
namespace {

constexpr std::size_t kLargestSecret = 128;

absl::Status InvalidArgument(absl::string_view message) {
  return Error(ErrorReason::kInternalError, kTpmField, message);
}

absl::StatusOr<std::uint32_t> HandleOf(const KeySelector& selector) {
  const std::optional<std::uint32_t> handle = ResidentHandleOf(selector);
  if (handle.has_value()) return *handle;
  return Error(ErrorReason::kKeyNotFound, kTpmField,
               "keys of a TPM are named by handles from 0x81000000 to 0x817fffff alone");
}

absl::StatusOr<CustodialKey> FitKeyOf(const KeyListing& listing) {
  if (listing.unfit_because.empty()) {
    return CustodialKey{listing.selector, *listing.type, listing.public_key};
  }
  return Error(ErrorReason::kKeyUnfit, kTpmField,
               absl::StrCat("the key at ", listing.selector.label, " ", listing.unfit_because));
}

absl::Status NotOurs(const KeyListing& listing) {
  return Error(ErrorReason::kKeyUnfit, kTpmField,
               absl::StrCat("what is at ", listing.selector.label, " ", listing.unfit_because,
                            ", and may be what other programs or this machine rest on: if it is "
                            "not, tpm2_evictcontrol takes it out"));
}

class EsapiTpmCustodian final : public TpmCustodian {
 public:
  explicit EsapiTpmCustodian(const TpmConnection& connection)
      : tcti_(connection.tcti), pin_gate_(connection.pin_source) {}

  ~EsapiTpmCustodian() override { Disconnect(); }

  const std::string& name() const override { return name_; }

  absl::StatusOr<CustodianFacts> Greet() override {
    return Perform<CustodianFacts>(
        [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ReadTpmFacts(*connection_, tcti_); });
  }

  absl::StatusOr<CustodialKey> Open(const KeySelector& selector) override {
    ASSIGN_OR_RETURN(const std::uint32_t handle, HandleOf(selector));
    return Perform<CustodialKey>(
        [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::StatusOr<CustodialKey> {
          // As it is now, not as it was when it was last looked at.
          loaded_.erase(handle);
          ASSIGN_OR_RETURN(LoadedKey* const key, Load(handle));
          return key->description;
        });
  }

  absl::StatusOr<CustodialKey> Generate(const KeySelector& selector, KeyType type) override {
    ASSIGN_OR_RETURN(const std::uint32_t handle, HandleOf(selector));
    std::string made;  // the public key that an attempt before may have left there
    return Perform<CustodialKey>([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return GenerateAt(handle, selector, type, made);
    });
  }

  absl::Status Destroy(const KeySelector& selector) override {
    ASSIGN_OR_RETURN(const std::uint32_t handle, HandleOf(selector));
    bool begun = false;
    return Perform<bool>([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::StatusOr<bool> {
             loaded_.erase(handle);
             absl::StatusOr<ResidentKey> key = FindResidentKey(*connection_, handle);
             // An attempt before lost its answer only.
             if (begun && ReasonOf(key.status()) == ErrorReason::kKeyNotFound) return true;
             RETURN_IF_ERROR(key.status());
             if (!key->may_be_destroyed) return NotOurs(key->listing);
             begun = true;
             RETURN_IF_ERROR(EvictResidentKey(*connection_, std::move(key->object), handle));
             return true;
           })
        .status();
  }

  absl::StatusOr<std::vector<KeyListing>> List() override {
    return Perform<std::vector<KeyListing>>(
        [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ListResidentKeys(*connection_); });
  }

  absl::StatusOr<std::string> SignDigest(const CustodialKey& key,
                                         absl::string_view digest) override {
    ASSIGN_OR_RETURN(const std::uint32_t handle, HandleOf(key.selector));
    if (digest.size() != static_cast<std::size_t>(EVP_MD_get_size(DigestOf(key.type)))) {
      return InvalidArgument("the digest is not of the key type's size");
    }
    return Perform<std::string>(
        [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return SignAt(handle, key, digest); });
  }

  absl::StatusOr<std::string> Seal(absl::string_view secret, const PcrSelection& registers,
                                   SealAuthorization authorization,
                                   absl::string_view recovery_code) override {
    if (secret.empty() || secret.size() > kLargestSecret) {
      return InvalidArgument("a secret to seal has 1 to 128 octets");
    }
    if (authorization == SealAuthorization::kRecoveryCode && recovery_code.empty()) {
      return InvalidArgument("no recovery code is given");
    }
    return Perform<std::string>(
        [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::StatusOr<std::string> {
          ASSIGN_OR_RETURN(const std::unique_ptr<Pin> pin, PinFor(authorization));
          ASSIGN_OR_RETURN(const SealBlob blob,
                           SealSecret(*connection_, secret, registers, authorization,
                                      ValueFor(authorization, pin.get(), recovery_code)));
          return FormatSealBlob(blob);
        });
  }

  absl::StatusOr<std::string> Unseal(absl::string_view octets,
                                     absl::string_view recovery_code) override {
    ASSIGN_OR_RETURN(const SealBlob blob, ParseSealBlob(octets));
    RETURN_IF_ERROR(SealedObjectOf(blob).status());
    return Perform<std::string>(
        [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::StatusOr<std::string> {
          ASSIGN_OR_RETURN(const std::unique_ptr<Pin> pin, PinFor(blob.authorization));
          absl::StatusOr<std::string> secret = UnsealSecret(
              *connection_, blob, ValueFor(blob.authorization, pin.get(), recovery_code));
          if (!IsWrongPin(TpmCodeOf(secret.status()).value_or(0))) return secret;
          if (pin != nullptr) return PinRefused(*pin);
          return Error(ErrorReason::kPinRefused, kTpmField, "the recovery code is wrong");
        });
  }

  CustodianStatus Status() const override { return record_.Status(); }

 private:
  // A key that was found fit on this connection.
  struct LoadedKey {
    EsysPersistent object;
    CustodialKey description;
    std::unique_ptr<Pin> pin;  // which was set for it; null where none is configured
    bool refused = false;
  };

  // Runs `operation` with a connection, and alone: ESAPI's contexts serve one thread at a time, a
  // TPM one command, and callers of a mutex need no thread of the custodian's own, that would have
  // to be woken for each signature. Once more on a new connection where the old one was lost, and
  // once more with an emptied TPM where it has no room.
  template <typename T>
  absl::StatusOr<T> Perform(absl::FunctionRef<absl::StatusOr<T>()> operation) {
    const MutexLock lock(mutex_);
    bool reconnected = false, flushed = false;
    for (;;) {
      const absl::Status connected = Connect();
      absl::StatusOr<T> result = connected.ok() ? operation() : absl::StatusOr<T>(connected);
      record_.Note(result.status());
      if (result.ok()) return result;
      const std::optional<TSS2_RC> code = TpmCodeOf(result.status());
      if (!code.has_value()) return result;
      if (TpmRemedyOf(*code) == TpmRemedy::kFlush && !std::exchange(flushed, true)) {
        connection_->FlushLeftovers();
        continue;
      }
      if (TpmRemedyOf(*code) != TpmRemedy::kReconnect) return result;
      Disconnect();
      if (!connected.ok() || std::exchange(reconnected, true)) {
        return NeedingNewCustodian(result.status());
      }
    }
  }

  absl::Status Connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (connection_ != nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(connection_, EsysConnection::Open(tcti_));
    record_.NoteConnection(true);
    return absl::OkStatus();
  }

  void Disconnect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    loaded_.clear();
    connection_.reset();
    record_.NoteConnection(false);
  }

  // The fit key at `handle`. Errors: those of Open.
  absl::StatusOr<LoadedKey*> Load(std::uint32_t handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto known = loaded_.find(handle);
    if (known != loaded_.end()) return &known->second;
    ASSIGN_OR_RETURN(ResidentKey found, FindResidentKey(*connection_, handle));
    ASSIGN_OR_RETURN(CustodialKey description, FitKeyOf(found.listing));
    return &loaded_
                .emplace(handle,
                         LoadedKey{std::move(found.object), std::move(description), nullptr, false})
                .first->second;
  }

  absl::Status Authorize(LoadedKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!pin_gate_.has_source()) {
      return need_pin_.contains(key.description.public_key) ? HasPin(key) : absl::OkStatus();
    }
    if (key.pin != nullptr && !key.refused) return absl::OkStatus();
    ASSIGN_OR_RETURN(std::unique_ptr<Pin> pin, pin_gate_.Read());
    ASSIGN_OR_RETURN(TPM2B_AUTH authorization, AuthorizationOf(pin->value()));
    const absl::Cleanup wipe = [&] { OPENSSL_cleanse(&authorization, sizeof(authorization)); };
    RETURN_IF_ERROR(connection_->Run("Esys_TR_SetAuth", [&](ESYS_CONTEXT* context) {
      return Esys_TR_SetAuth(context, key.object.get(), &authorization);
    }));
    key.pin = std::move(pin);
    key.refused = false;
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> SignAt(std::uint32_t handle, const CustodialKey& key,
                                     absl::string_view digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ASSIGN_OR_RETURN(LoadedKey* const loaded, Load(handle));
    if (loaded->description.public_key != key.public_key || loaded->description.type != key.type) {
      return Error(ErrorReason::kKeyMismatch, kTpmField,
                   absl::StrCat("the key at ", key.selector.label, " is another one now"));
    }
    RETURN_IF_ERROR(Authorize(*loaded));
    const auto start = std::chrono::steady_clock::now();
    absl::StatusOr<std::string> signature =
        SignWithResidentKey(*connection_, loaded->object.get(), key.type, digest);
    if (signature.ok()) {
      record_.NoteSignature(std::chrono::steady_clock::now() - start);
      return signature;
    }
    const TSS2_RC code = TpmCodeOf(signature.status()).value_or(0);
    if (IsWrongPin(code)) return KeyRefusesPin(*loaded);
    if (IsMissingHandle(code)) {
      loaded_.erase(handle);
      return Error(ErrorReason::kKeyNotFound, kTpmField,
                   absl::StrCat("no key at ", key.selector.label));
    }
    return signature;
  }

  absl::Status KeyRefusesPin(LoadedKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (key.pin == nullptr) {
      need_pin_.insert(key.description.public_key);
      return HasPin(key);
    }
    key.refused = true;
    return PinRefused(*key.pin);
  }

  static absl::Status HasPin(const LoadedKey& key) {
    return Error(ErrorReason::kPinRefused, kTpmField,
                 absl::StrCat("the key at ", key.description.selector.label,
                              " has a PIN, and no PIN source is configured"));
  }

  absl::Status PinRefused(const Pin& pin) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    pin_gate_.Refuse(pin);
    return Error(ErrorReason::kPinRefused, kTpmField,
                 "the TPM refused the PIN, which is not tried again until its source gives "
                 "another");
  }

  absl::StatusOr<CustodialKey> GenerateAt(std::uint32_t handle, const KeySelector& selector,
                                          KeyType type, std::string& made)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    loaded_.erase(handle);
    const absl::StatusOr<ResidentKey> there = FindResidentKey(*connection_, handle);
    if (there.ok() && !made.empty() && there->listing.public_key == made) {
      return FitKeyOf(there->listing);
    }
    if (there.ok()) {
      return Error(ErrorReason::kKeyExists, kTpmField,
                   absl::StrCat("something is at ", selector.label, " already"));
    }
    if (ReasonOf(there.status()) != ErrorReason::kKeyNotFound) return there.status();
    if (handle == kStorageRootKey) {
      return Error(ErrorReason::kKeyUnsupported, kTpmField,
                   absl::StrCat(selector.label, " is the place of the storage root key"));
    }
    ASSIGN_OR_RETURN(const std::unique_ptr<Pin> pin, pin_gate_.Read());
    ASSIGN_OR_RETURN(const ResidentDraft draft,
                     MakeResidentKey(*connection_, type, pin == nullptr ? "" : pin->value()));
    made = DescribeObject(selector, *draft.public_area).public_key;
    RETURN_IF_ERROR(PersistResidentKey(*connection_, draft, handle));
    ASSIGN_OR_RETURN(LoadedKey* const key, Load(handle));
    return key->description;
  }

  // Null where the PIN is not needed.
  absl::StatusOr<std::unique_ptr<Pin>> PinFor(SealAuthorization authorization)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (authorization != SealAuthorization::kPin) return nullptr;
    if (pin_gate_.has_source()) return pin_gate_.Read();
    return Error(ErrorReason::kPinRefused, kTpmField, "no PIN source is configured");
  }

  static absl::string_view ValueFor(SealAuthorization authorization, const Pin* pin,
                                    absl::string_view recovery_code) {
    if (pin != nullptr) return pin->value();
    return authorization == SealAuthorization::kRecoveryCode ? recovery_code : "";
  }

  const std::string name_ = kTpmField;
  const std::string tcti_;
  CustodianRecord record_;
  Mutex mutex_;
  PinGate pin_gate_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<EsysConnection> connection_ ABSL_GUARDED_BY(mutex_);
  // They refer to the connection, and go before it.
  std::map<std::uint32_t, LoadedKey> loaded_ ABSL_GUARDED_BY(mutex_);
  // Public keys of those that have a PIN where none is configured: the TPM counts an empty one too.
  std::set<std::string> need_pin_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<TpmCustodian> TpmCustodian::Create(const TpmConnection& connection) {
  return std::make_unique<EsapiTpmCustodian>(connection);
}

}  // namespace hourglass::hsm
