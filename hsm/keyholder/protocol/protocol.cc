#include "hsm/keyholder/protocol/protocol.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"

namespace hourglass::hsm {
namespace {

constexpr size_t kLongestMessage = 1000;
constexpr size_t kLongestListing = 16UL * 1024;
constexpr int kNoKeyType = -1;

absl::Status Refuse(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kInternalError, field, message);
}

absl::StatusOr<Holding> ReadToken(const keyholder::Pkcs11Token& token) {
  if (token.threads() < 1 || token.threads() > kMostKeyholderThreads) {
    return Refuse("threads", absl::StrCat("must be 1 to ", kMostKeyholderThreads));
  }
  if (!absl::StartsWith(token.module_path(), "/")) {
    return Refuse("module_path", "must be absolute");
  }
  if (token.label().empty()) return Refuse("label", "must be given");
  ASSIGN_OR_RETURN(PinSource pin_source, ParsePinSource(token.pin_source()));
  return Holding{
      TokenUri{token.label(), token.serial(), token.module_path(), std::move(pin_source)},
      token.threads()};
}

absl::StatusOr<Holding> ReadTpm(const keyholder::Tpm& tpm) {
  if (tpm.tcti().empty()) return Refuse("tcti", "must be given");
  TpmConnection connection{tpm.tcti(), std::nullopt};
  if (!tpm.pin_source().empty()) {
    ASSIGN_OR_RETURN(connection.pin_source, ParsePinSource(tpm.pin_source()));
  }
  return Holding{std::move(connection), 1};
}

}  // namespace

keyholder::Start WriteStart(const Holding& holding) {
  keyholder::Start start;
  if (const auto* token = std::get_if<TokenUri>(&holding.custodian)) {
    keyholder::Pkcs11Token& message = *start.mutable_pkcs11();
    message.set_label(token->label);
    message.set_serial(token->serial);
    message.set_module_path(token->module_path);
    message.set_pin_source(FormatPinSource(token->pin_source));
    message.set_threads(holding.threads);
  } else if (const auto* tpm = std::get_if<TpmConnection>(&holding.custodian)) {
    start.mutable_tpm()->set_tcti(tpm->tcti);
    if (tpm->pin_source.has_value()) {
      start.mutable_tpm()->set_pin_source(FormatPinSource(*tpm->pin_source));
    }
  }
  return start;
}

absl::StatusOr<Holding> ReadStart(const keyholder::Start& start) {
  switch (start.custodian_case()) {
    case keyholder::Start::kPkcs11:
      return ReadToken(start.pkcs11());
    case keyholder::Start::kTpm:
      return ReadTpm(start.tpm());
    case keyholder::Start::CUSTODIAN_NOT_SET:
      break;
  }
  return Refuse("custodian", "must be given");
}

void WriteSelector(const KeySelector& selector, keyholder::Key* key) {
  key->set_label(selector.label);
  key->set_id(selector.id);
}

KeySelector ReadSelector(const keyholder::Key& key) { return {key.label(), key.id()}; }

absl::StatusOr<KeyType> ReadKeyType(int key_type) {
  for (const KeyType type : kAllKeyTypes) {
    if (static_cast<int>(type) == key_type) return type;
  }
  return Refuse("key_type", absl::StrCat("is none of ours: ", key_type));
}

absl::StatusOr<CustodialKey> ReadSignBatch(const keyholder::SignBatch& batch) {
  ASSIGN_OR_RETURN(const KeyType type, ReadKeyType(batch.key_type()));
  if (batch.digests().empty() || batch.digests_size() > kMostDigests) {
    return Refuse("digests", absl::StrCat("must be 1 to ", kMostDigests));
  }
  const auto size = static_cast<size_t>(EVP_MD_get_size(DigestOf(type)));
  for (const std::string& digest : batch.digests()) {
    if (digest.size() != size) {
      return Refuse("digests", absl::StrCat("must be ", size, " octets long for ",
                                            KeyTypeName(type), ", not ", digest.size()));
    }
  }
  return CustodialKey{ReadSelector(batch.key()), type, batch.public_key()};
}

void WriteKey(const CustodialKey& key, keyholder::CustodialKey* message) {
  WriteSelector(key.selector, message->mutable_key());
  message->set_key_type(static_cast<int>(key.type));
  message->set_public_key(key.public_key);
}

absl::StatusOr<CustodialKey> ReadKey(const keyholder::CustodialKey& message) {
  ASSIGN_OR_RETURN(const KeyType type, ReadKeyType(message.key_type()));
  ASSIGN_OR_RETURN(const EvpPkeyPtr public_key, ParsePublicKey(message.public_key()));
  ASSIGN_OR_RETURN(const KeyType type_of_public_key, KeyTypeOf(*public_key));
  if (type != type_of_public_key) {
    return Refuse("key_type", absl::StrCat("is ", KeyTypeName(type), " but the public key is ",
                                           KeyTypeName(type_of_public_key)));
  }
  return CustodialKey{ReadSelector(message.key()), type, message.public_key()};
}

void WriteListing(const KeyListing& listing, keyholder::Listing* message) {
  WriteSelector(listing.selector, message->mutable_key());
  message->set_key_type(listing.type.has_value() ? static_cast<int>(*listing.type) : kNoKeyType);
  message->set_public_key(listing.public_key);
  message->set_unfit_because(listing.unfit_because);
  if (message->ByteSizeLong() <= kLongestListing) return;
  WriteSelector({listing.selector.label.substr(0, kLongestMessage), ""}, message->mutable_key());
  message->clear_public_key();
  message->set_unfit_because("its label, id or public key is too long");
}

absl::StatusOr<KeyListing> ReadListing(const keyholder::Listing& message) {
  KeyListing listing{ReadSelector(message.key()), std::nullopt, message.public_key(),
                     message.unfit_because()};
  if (message.key_type() != kNoKeyType) {
    ASSIGN_OR_RETURN(listing.type, ReadKeyType(message.key_type()));
  }
  return listing;
}

absl::StatusOr<SealAuthorization> ReadAuthorization(int authorization) {
  for (const SealAuthorization known :
       {SealAuthorization::kNone, SealAuthorization::kPin, SealAuthorization::kRecoveryCode}) {
    if (static_cast<int>(known) == authorization) return known;
  }
  return Refuse("authorization", absl::StrCat("is none of ours: ", authorization));
}

void WriteFacts(const CustodianFacts& facts, keyholder::Facts* message) {
  message->set_manufacturer(facts.manufacturer);
  message->set_model(facts.model);
  message->set_most_sessions(facts.most_sessions);
  message->set_one_process_only(facts.one_process_only);
  message->set_software(facts.software);
}

CustodianFacts ReadFacts(const keyholder::Facts& message) {
  return {message.manufacturer(), message.model(), message.most_sessions(),
          message.one_process_only(), message.software()};
}

void WriteFailure(const absl::Status& error, keyholder::Failure* failure) {
  ErrorReason reason = ReasonOf(error);
  if (reason == ErrorReason::kUnspecified) reason = ErrorReason::kInternalError;
  const std::string field = FieldOf(error);
  absl::string_view message = error.message();
  // Error() joined them.
  if (!field.empty() && absl::StartsWith(message, absl::StrCat(field, ": "))) {
    message.remove_prefix(field.size() + 2);
  }
  failure->set_reason(static_cast<int>(reason));
  failure->set_field(field.substr(0, kLongestMessage));
  failure->set_message(std::string(message.substr(0, kLongestMessage)));
  failure->set_needs_new_worker(NeedsNewCustodian(error));
}

absl::Status ReadFailure(const keyholder::Failure& failure) {
  // The last of the reasons is this one.
  constexpr int kLast = static_cast<int>(ErrorReason::kInternalError);
  const bool known = failure.reason() > 0 && failure.reason() <= kLast;
  absl::Status error =
      Error(known ? static_cast<ErrorReason>(failure.reason()) : ErrorReason::kInternalError,
            failure.field(), failure.message());
  return failure.needs_new_worker() ? NeedingNewCustodian(std::move(error)) : error;
}

bool IsAdministrative(const keyholder::Request& request) {
  return request.has_generate() || request.has_destroy() || request.has_seal();
}

}  // namespace hourglass::hsm
