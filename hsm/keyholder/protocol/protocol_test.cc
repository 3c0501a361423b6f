#include "hsm/keyholder/protocol/protocol.h"

#include <gtest/gtest.h>

#include <string>

#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

const TokenUri kToken{"label \xff", "serial", "/lib/module.so", {PinSource::Kind::kFile, "/pin"}};

// SubjectPublicKeyInfo of a new key of this type.
std::string PublicKey(KeyType type) {
  const EvpPkeyPtr key(IsEc(type) ? EVP_EC_gen(type == KeyType::kEcP256 ? "P-256" : "P-384")
                                  : EVP_RSA_gen(2048));
  return *EncodePublicKey(*key);
}

TEST(ProtocolTest, StartSaysWhichTokenAndHowManyThreads) {
  ASSERT_OK_AND_ASSIGN(const Holding read, ReadStart(WriteStart({kToken, 64})));
  const auto& token = std::get<TokenUri>(read.custodian);
  EXPECT_EQ(token.label, kToken.label);
  EXPECT_EQ(token.serial, kToken.serial);
  EXPECT_EQ(token.module_path, kToken.module_path);
  EXPECT_EQ(token.pin_source, kToken.pin_source);
  EXPECT_EQ(read.threads, 64);
}

TEST(ProtocolTest, StartSaysWhichTpm) {
  TpmConnection tpm{"swtpm:port=1", PinSource{PinSource::Kind::kEnvironment, "PIN"}};
  ASSERT_OK_AND_ASSIGN(Holding read, ReadStart(WriteStart({tpm})));
  EXPECT_EQ(std::get<TpmConnection>(read.custodian).tcti, tpm.tcti);
  EXPECT_EQ(std::get<TpmConnection>(read.custodian).pin_source, tpm.pin_source);
  EXPECT_EQ(read.threads, 1);
  tpm.pin_source.reset();
  ASSERT_OK_AND_ASSIGN(read, ReadStart(WriteStart({tpm})));
  EXPECT_FALSE(std::get<TpmConnection>(read.custodian).pin_source.has_value());
}

TEST(ProtocolTest, RefusesAStartThatNobodyWrites) {
  EXPECT_THAT(ReadStart(keyholder::Start()), FailsWith(ErrorReason::kInternalError, "custodian"));
  const keyholder::Start fine = WriteStart({kToken, 1});
  ASSERT_OK(ReadStart(fine));
  for (const int threads : {-1, 0, kMostKeyholderThreads + 1}) {
    keyholder::Start start = fine;
    start.mutable_pkcs11()->set_threads(threads);
    EXPECT_THAT(ReadStart(start), FailsWith(ErrorReason::kInternalError, "threads"));
  }
  keyholder::Start start = fine;
  start.mutable_pkcs11()->set_module_path("module.so");
  EXPECT_THAT(ReadStart(start), FailsWith(ErrorReason::kInternalError, "module_path"));
  start = fine;
  start.mutable_pkcs11()->clear_label();
  EXPECT_THAT(ReadStart(start), FailsWith(ErrorReason::kInternalError, "label"));
  start = fine;
  start.mutable_pkcs11()->set_pin_source("1234");
  EXPECT_THAT(ReadStart(start), FailsWith(ErrorReason::kKeyUriInvalid));
  start.mutable_tpm()->clear_tcti();
  EXPECT_THAT(ReadStart(start), FailsWith(ErrorReason::kInternalError, "tcti"));
}

TEST(ProtocolTest, AKeyIsOfTheTypeThatItsPublicKeyIs) {
  for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048}) {
    const CustodialKey key{{"label", std::string("\0id", 3)}, type, PublicKey(type)};
    keyholder::CustodialKey message;
    WriteKey(key, &message);
    ASSERT_OK_AND_ASSIGN(const CustodialKey read, ReadKey(message));
    EXPECT_EQ(read.selector, key.selector);
    EXPECT_EQ(read.type, type);
    EXPECT_EQ(read.public_key, key.public_key);
    message.set_key_type(static_cast<int>(KeyType::kRsa4096));
    EXPECT_THAT(ReadKey(message), FailsWith(ErrorReason::kInternalError, "key_type"));
    message.set_key_type(5);
    EXPECT_THAT(ReadKey(message), FailsWith(ErrorReason::kInternalError, "key_type"));
    message.set_public_key("no key");
    message.set_key_type(static_cast<int>(type));
    EXPECT_THAT(ReadKey(message), FailsWith(ErrorReason::kKeyInvalid));
  }
}

TEST(ProtocolTest, ABatchHoldsDigestsOfTheKeysSize) {
  for (const KeyType type : kAllKeyTypes) {
    const size_t size = type == KeyType::kEcP384 ? 48 : 32;  // RFC 5758, RFC 4055
    keyholder::SignBatch batch;
    WriteSelector({"label", "id"}, batch.mutable_key());
    batch.set_key_type(static_cast<int>(type));
    batch.set_public_key("public");
    EXPECT_THAT(ReadSignBatch(batch), FailsWith(ErrorReason::kInternalError, "digests"));
    for (int i = 0; i < kMostDigests; ++i) batch.add_digests(std::string(size, 'd'));
    ASSERT_OK_AND_ASSIGN(const CustodialKey key, ReadSignBatch(batch));
    EXPECT_EQ(key.selector, (KeySelector{"label", "id"}));
    EXPECT_EQ(key.type, type);
    EXPECT_EQ(key.public_key, "public");
    keyholder::SignBatch other_size = batch;
    other_size.mutable_digests(kMostDigests - 1)->resize(size == 48 ? 32 : 48);
    EXPECT_THAT(ReadSignBatch(other_size), FailsWith(ErrorReason::kInternalError, "digests"));
    batch.add_digests(std::string(size, 'd'));
    EXPECT_THAT(ReadSignBatch(batch), FailsWith(ErrorReason::kInternalError, "digests"));
  }
}

TEST(ProtocolTest, AListingMayBeOfNoTypeOfOurs) {
  keyholder::Listing message;
  WriteListing({{"label \xff", "id"}, std::nullopt, "", "of no type"}, &message);
  ASSERT_OK_AND_ASSIGN(KeyListing read, ReadListing(message));
  EXPECT_EQ(read.selector, (KeySelector{"label \xff", "id"}));
  EXPECT_EQ(read.type, std::nullopt);
  EXPECT_EQ(read.unfit_because, "of no type");
  WriteListing({{"label", ""}, KeyType::kRsa3072, "public", ""}, &message);
  ASSERT_OK_AND_ASSIGN(read, ReadListing(message));
  EXPECT_EQ(read.type, KeyType::kRsa3072);
  EXPECT_EQ(read.public_key, "public");
  EXPECT_EQ(read.unfit_because, "");
  message.set_key_type(-2);
  EXPECT_THAT(ReadListing(message), FailsWith(ErrorReason::kInternalError, "key_type"));
}

TEST(ProtocolTest, AListingThatIsTooLongIsCutShortAndUnfit) {
  const std::string long_text(20'000, 'l');
  for (const KeyListing& listing :
       {KeyListing{{long_text, "id"}, KeyType::kEcP256, "public", ""},
        KeyListing{{"label", long_text}, KeyType::kEcP256, "public", ""},
        KeyListing{{"label", "id"}, KeyType::kEcP256, long_text, ""},
        KeyListing{{"label", "id"}, KeyType::kEcP256, "public", long_text}}) {
    keyholder::Listing message;
    WriteListing(listing, &message);
    EXPECT_LT(message.ByteSizeLong(), 2'000U);
    ASSERT_OK_AND_ASSIGN(const KeyListing read, ReadListing(message));
    EXPECT_NE(read.unfit_because, "");
    EXPECT_EQ(read.selector.label.front(), 'l');
  }
}

TEST(ProtocolTest, AFailureKeepsWhatAnErrorSays) {
  for (const bool new_custodian : {false, true}) {
    absl::Status error = Error(ErrorReason::kPinRefused, "pkcs11:token=a", "says: no \xff");
    if (new_custodian) error = NeedingNewCustodian(error);
    keyholder::Failure failure;
    WriteFailure(error, &failure);
    keyholder::Failure received;
    ASSERT_TRUE(received.ParseFromString(failure.SerializeAsString()));
    const absl::Status read = ReadFailure(received);
    EXPECT_THAT(read, FailsWith(ErrorReason::kPinRefused, "pkcs11:token=a"));
    EXPECT_EQ(read.message(), error.message());
    EXPECT_EQ(NeedsNewCustodian(read), new_custodian);
  }
}

TEST(ProtocolTest, AFailureNeverReadsAsSuccess) {
  keyholder::Failure failure;
  for (const int reason : {-1, 0, 1000}) {
    failure.set_reason(reason);
    EXPECT_THAT(ReadFailure(failure), FailsWith(ErrorReason::kInternalError));
  }
  failure.set_reason(static_cast<int>(ErrorReason::kInternalError));
  EXPECT_THAT(ReadFailure(failure), FailsWith(ErrorReason::kInternalError));
  WriteFailure(absl::UnknownError("without a reason"), &failure);
  EXPECT_THAT(ReadFailure(failure), FailsWith(ErrorReason::kInternalError));
  WriteFailure(Error(ErrorReason::kKeyUnavailable, "f", std::string(5'000, 'm')), &failure);
  EXPECT_EQ(failure.message().size(), 1'000U);
}

TEST(ProtocolTest, FactsArriveAsTheyAre) {
  keyholder::Facts message;
  WriteFacts({"maker \xff", "model", 1024, true, false}, &message);
  const CustodianFacts read = ReadFacts(message);
  EXPECT_EQ(read.manufacturer, "maker \xff");
  EXPECT_EQ(read.model, "model");
  EXPECT_EQ(read.most_sessions, 1024U);
  EXPECT_TRUE(read.one_process_only);
  EXPECT_FALSE(read.software);
}

TEST(ProtocolTest, AuthorizationsAreOfOurs) {
  for (const auto authorization :
       {SealAuthorization::kNone, SealAuthorization::kPin, SealAuthorization::kRecoveryCode}) {
    ASSERT_OK_AND_ASSIGN(const SealAuthorization read,
                         ReadAuthorization(static_cast<int>(authorization)));
    EXPECT_EQ(read, authorization);
  }
  EXPECT_THAT(ReadAuthorization(3), FailsWith(ErrorReason::kInternalError, "authorization"));
}

}  // namespace
}  // namespace hourglass::hsm
