// A tenant that takes access tokens, in hourglassd itself: nobody gets a certificate for another
// user or device than a token names that he holds. Each attack stands beside a token that is
// accepted, in a call and in a stream.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/testing/key_server.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/pkcs10.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using issuance::kTestDevice;
using issuance::kTestDirectory;
using issuance::kTestUser;
using issuance::SignedToken;
using issuance::TestKey;
using issuance::TokenAlgorithm;
using issuance::TokenIssuer;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr char kOther[] = "1f8fad5b-d9cb-469f-a165-70867728950e";

// What a tenant is told; empty of an issued certificate.
std::string FaultOf(const grpc::Status& status) {
  if (status.ok()) return "";
  const auto detail = issuance::ErrorDetailOf(status);
  if (!detail.has_value()) return status.error_message();
  const bool is_of_token =
      detail->reason() == v1::TOKEN_REFUSED || detail->reason() == v1::TOKEN_NOT_JUDGED;
  if (!is_of_token) return v1::ErrorReason_Name(detail->reason());
  EXPECT_EQ(detail->field(), "access_token");
  EXPECT_EQ(status.error_code(), detail->reason() == v1::TOKEN_REFUSED
                                     ? grpc::StatusCode::UNAUTHENTICATED
                                     : grpc::StatusCode::UNAVAILABLE);
  return detail->token_fault();
}

class AccessTokensTest : public testing::Test {
 protected:
  // `keys` as the field `keys` of the tenant has it.
  void Start(const std::string& keys) {
    daemon_.Configure(
        absl::StrCat("{tokens: [\"", daemon_.token().Uri(), "\"]}"), daemon_.data_directory(),
        absl::StrCat("tenants:\n  contoso:\n    upn_domains: [contoso.example]\n"
                     "    identity: access_token\n    access_token:\n      directory: ",
                     kTestDirectory, "\n      audiences: [\"", issuance::kTestAudience,
                     "\"]\n      brokers: [", issuance::kTestBroker, "]\n      scopes: [",
                     issuance::kTestScope, "]\n      keys: ", keys, "\n"));
    const CommandResult checked =
        RunCommand({Daemon::kProgram, "--config", daemon_.config_file(), "--check"});
    ASSERT_EQ(checked.exit_code, 0) << checked.output;
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    daemon_.MakeReady();
    daemon_.ReportDevice("contoso", kTestDevice, true);
  }
  void StartWithFile() {
    keys_file_ = daemon_.directory().Write("keys.json", issuer_.KeySetText());
    Start(absl::StrCat("{file: ", keys_file_, "}"));
  }

  json Claims() const { return issuer_.Claims(issuance::SystemClock().Now()); }
  std::string Token(const json& changes = json::object()) const {
    json claims = Claims();
    for (const auto& [name, value] : changes.items()) {
      claims[name] = value;
      if (value.is_null()) claims.erase(name);
    }
    return issuer_.Token(claims);
  }
  std::int64_t Now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(
               issuance::SystemClock().Now().time_since_epoch())
        .count();
  }

  // For whoever the token names, under a request id of its own.
  v1::IssueCertificateRequest With(const std::string& token) {
    v1::IssueCertificateRequest request;
    request.set_tenant_id("contoso");
    request.set_request_id(absl::StrCat("request-", ++requests_));
    request.set_pkcs10(pkcs10_);
    request.set_access_token(token);
    return request;
  }

  grpc::Status Call(const v1::IssueCertificateRequest& request,
                    v1::IssueCertificateResponse* response = nullptr) {
    return daemon_.Issue(request, response);
  }
  // The same in a stream of its own.
  grpc::Status Stream(const v1::IssueCertificateRequest& request) {
    grpc::ClientContext context;
    const auto stub = daemon_.As<v1::CertificateIssuer>(kBroker);
    const auto stream = stub->IssueCertificates(&context);
    v1::IssueCertificatesResponse answer;
    EXPECT_TRUE(stream->Write(request));
    stream->WritesDone();
    EXPECT_TRUE(stream->Read(&answer));
    EXPECT_THAT(stream->Finish(), Succeeded());
    EXPECT_EQ(answer.request_id(), request.request_id());
    if (!answer.has_refused()) return grpc::Status::OK;
    return grpc::Status(static_cast<grpc::StatusCode>(answer.refused().code()),
                        answer.refused().message(), answer.refused().SerializeAsString());
  }

  v1::JournalEntry Recorded(const std::string& serial_number) {
    v1::GetCertificateRequest request;
    request.set_tenant_id("contoso");
    request.set_serial_number(serial_number);
    v1::JournalEntry entry;
    grpc::ClientContext context;
    EXPECT_THAT(daemon_.As<v1::JournalService>(kAuditor)->GetCertificate(&context, request, &entry),
                Succeeded());
    return entry;
  }

  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
  const std::string pkcs10_ = MakeEcPkcs10();
  Daemon daemon_;
  std::string keys_file_;
  int requests_ = 0;
};

// By the public key as everybody knows it, taken for a secret.
std::string SignedByPublicKey(const TestKey& key, const json& claims) {
  const std::string pem = key.PublicPem();
  const std::string header = json{{"alg", "HS256"}, {"kid", key.key_id()}}.dump();
  const std::string input = issuance::SigningInput(header, claims.dump());
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), pem.data(), static_cast<int>(pem.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac, &size);
  return issuance::TokenWith(header, claims.dump(),
                             std::string(reinterpret_cast<const char*>(mac), size));
}

TEST_F(AccessTokensTest, EachAttackIsRefusedForWhatItIs) {
  StartWithFile();
  const TestKey foreign("rsa-1", TokenAlgorithm::kRs256);
  const TestKey unknown("rsa-9", TokenAlgorithm::kRs256);
  const auto by = [&](const TestKey& key) {
    return SignedToken(key, TokenIssuer::Header(key).dump(), Claims().dump());
  };
  struct Attack {
    const char* fault;
    std::function<v1::IssueCertificateRequest()> make;
  };
  const auto changed = [&](const json& changes) {
    return [this, changes] { return With(Token(changes)); };
  };
  const std::vector<Attack> attacks = {
      {"MISSING", [&] { return With(""); }},
      {"ENCODING_INVALID", [&] { return With("Bearer " + Token()); }},
      {"ALGORITHM_NONE",
       [&] {
         return With(issuance::TokenWith(R"({"alg":"none","kid":"rsa-1"})", Claims().dump(), "x"));
       }},
      {"NOT_COMPACT",
       [&] {
         return With(issuance::TokenWith(R"({"alg":"none","kid":"rsa-1"})", Claims().dump(), ""));
       }},
      {"ALGORITHM_SYMMETRIC", [&] { return With(SignedByPublicKey(issuer_.rs256(), Claims())); }},
      {"SIGNATURE_INVALID", [&] { return With(by(foreign)); }},
      {"KEY_UNKNOWN", [&] { return With(by(unknown)); }},
      {"ALGORITHM_NOT_ALLOWED", [&] { return With(by(issuer_.es256())); }},
      {"AUDIENCE_WRONG", changed({{"aud", "https://graph.microsoft.com"}})},
      {"EXPIRED", changed({{"exp", Now() - 600}})},
      {"EXPIRY_MISSING", changed({{"exp", nullptr}})},
      {"NOT_YET_VALID", changed({{"nbf", Now() + 600}})},
      {"APP_ONLY", changed({{"idtyp", "app"}, {"scp", nullptr}, {"roles", {"Issue"}}})},
      {"ISSUER_NOT_ALLOWED",
       changed({{"tid", kOther},
                {"iss", absl::StrCat("https://login.microsoftonline.com/", kOther, "/v2.0")}})},
      {"DIRECTORY_MISMATCH", changed({{"tid", kOther}})},
      {"DEVICE_MISSING", changed({{"deviceid", nullptr}})},
      {"UPN_MISSING", changed({{"upn", nullptr}})},
      {"UPN_NOT_OF_TENANT", changed({{"upn", "ada@fabrikam.example"}})},
      {"CONFIRMATION_MISMATCH",
       changed({{"cnf", {{"x5t#S256", "ERERERERERERERERERERERERERERERERERERERERERE"}}}})},
      {"ANOTHER_DEVICE",
       [&] {
         v1::IssueCertificateRequest request = With(Token());
         request.set_device_id("laptop-1");
         return request;
       }},
      {"ANOTHER_DEVICE",
       [&] {
         v1::IssueCertificateRequest request = With(Token({{"deviceid", kOther}}));
         request.set_device_id(kTestDevice);
         return request;
       }},
      {"ANOTHER_USER",
       [&] {
         v1::IssueCertificateRequest request = With(Token());
         request.mutable_user()->set_upn("ceo@contoso.example");
         return request;
       }},
      {"ANOTHER_USER",
       [&] {
         v1::IssueCertificateRequest request = With(Token());
         request.mutable_user()->set_id(kOther);
         return request;
       }},
      // Nor does a token of somebody else help whom the device belongs to.
      {"DEVICE_NOT_COMPLIANT", changed({{"deviceid", kOther}})},
  };
  for (const Attack& attack : attacks) {
    EXPECT_EQ(FaultOf(Call(attack.make())), attack.fault);
    EXPECT_EQ(FaultOf(Stream(attack.make())), attack.fault) << "in a stream";
    EXPECT_EQ(FaultOf(Call(With(Token()))), "") << "beside " << attack.fault;
  }
  EXPECT_EQ(FaultOf(Stream(With(Token()))), "");
}

TEST_F(AccessTokensTest, ATokenIsForOneRequestAndTheJournalSaysWhich) {
  StartWithFile();
  const std::string token = Token({{"uti", "the-token"}});
  v1::IssueCertificateRequest request = With(token);
  v1::IssueCertificateResponse first, again;
  ASSERT_THAT(Call(request, &first), Succeeded());
  EXPECT_EQ(FaultOf(Call(With(token))), "REPLAYED");
  EXPECT_EQ(FaultOf(Stream(With(token))), "REPLAYED");
  ASSERT_THAT(Call(request, &again), Succeeded()) << "a repeat is the same request";
  EXPECT_EQ(again.certificate(), first.certificate());
  // With a newer token, too; but not for somebody else.
  request.set_access_token(Token());
  ASSERT_THAT(Call(request, &again), Succeeded());
  EXPECT_EQ(again.certificate(), first.certificate());
  request.set_access_token(Token({{"oid", kOther}}));
  EXPECT_EQ(FaultOf(Call(request)), "REQUEST_ID_REUSED");

  const v1::JournalEntry entry = Recorded(first.serial_number());
  EXPECT_EQ(entry.identity(), "access_token");
  EXPECT_EQ(entry.token_issuer(), TokenIssuer::Rules().issuers[0]);
  EXPECT_EQ(entry.token_id(), "the-token");
  EXPECT_EQ(entry.user_id(), kTestUser);
  EXPECT_EQ(entry.user_upn(), "ada@contoso.example");
  EXPECT_EQ(entry.device_id(), kTestDevice);
  // Nothing of a token itself is written anywhere.
  EXPECT_EQ(daemon_.Stop(), 0);
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  EXPECT_THAT(daemon_.Log(), HasSubstr("certificate_issued"));
  EXPECT_THAT(daemon_.Log(), HasSubstr(kTestDevice)) << "for whom";
  for (const std::string& part : {parts[1], parts[2]}) {
    EXPECT_THAT(daemon_.Log(), Not(HasSubstr(part)));
    EXPECT_NE(RunCommand({"grep", "-rqaF", part, daemon_.data_directory()}).exit_code, 0);
  }
  EXPECT_EQ(RunCommand({"grep", "-rqaF", "the-token", daemon_.data_directory()}).exit_code, 0)
      << "grep finds what is there";
}

TEST_F(AccessTokensTest, ATokenThatIsBoundIsForTheCallersOwnCertificate) {
  StartWithFile();
  const CommandResult hash = RunCommand(
      {"bash", "-c",
       absl::StrCat("openssl x509 -outform DER -in ",
                    daemon_.CredentialOf(kBroker).certificate_file,
                    " | openssl dgst -sha256 -binary | basenc --base64url | tr -d '=\\n'")});
  ASSERT_EQ(hash.exit_code, 0) << hash.output;
  const std::string token = Token({{"cnf", {{"x5t#S256", hash.output}}}});
  EXPECT_EQ(FaultOf(daemon_.Issue(With(token), nullptr, kWideBroker)), "CONFIRMATION_MISMATCH");
  EXPECT_EQ(FaultOf(Call(With(token))), "");
  EXPECT_EQ(FaultOf(Stream(With(Token({{"cnf", {{"x5t#S256", hash.output}}}})))), "");
}

// While the service runs, an administrator replaces the file.
TEST_F(AccessTokensTest, KeysThatAreRotatedCountAtOnce) {
  StartWithFile();
  EXPECT_EQ(FaultOf(Call(With(Token()))), "");
  const TestKey next("rsa-next", TokenAlgorithm::kRs256);
  const auto by_next = [&] {
    return SignedToken(next, TokenIssuer::Header(next).dump(), Claims().dump());
  };
  EXPECT_EQ(FaultOf(Call(With(by_next()))), "KEY_UNKNOWN");
  daemon_.directory().Write("keys.json", json{{"keys", {next.Jwk()}}}.dump());
  // It is looked at once a second, by whoever asks.
  std::string fault = "KEY_UNKNOWN";
  while (fault == "KEY_UNKNOWN") fault = FaultOf(Call(With(by_next())));
  EXPECT_EQ(fault, "");
  EXPECT_EQ(FaultOf(Call(With(Token()))), "KEY_UNKNOWN") << "the old key is withdrawn";
  // One that cannot be read changes nothing, and is told.
  daemon_.directory().Write("keys.json", "{}");
  do {
    fault = FaultOf(Call(With(by_next())));
  } while (fault.empty() && daemon_.Log().find("key_set_failed") == std::string::npos);
  EXPECT_EQ(fault, "");
  EXPECT_THAT(daemon_.Log(), HasSubstr("key_set_failed"));
}

// The service's filter of system calls lets it fetch, and names are looked up.
TEST_F(AccessTokensTest, UntilTheKeysAreThereNothingIsIssued) {
  issuance::KeyServer server("DNS:localhost");
  server.Publish("not yet");
  Start(absl::StrCat("{url: \"", absl::StrReplaceAll(server.Url(), {{"127.0.0.1", "localhost"}}),
                     "\", ca_file: ", server.ca_file(), "}"));
  ASSERT_TRUE(daemon_.WaitForLog("key_set_failed")) << daemon_.Log();
  const v1::IssueCertificateRequest request = With(Token());
  EXPECT_EQ(FaultOf(Call(request)), "KEYS_UNAVAILABLE");
  EXPECT_EQ(FaultOf(Stream(request)), "KEYS_UNAVAILABLE");
  EXPECT_EQ(FaultOf(Call(With(""))), "MISSING");
  server.Publish(issuer_.KeySetText());
  ASSERT_TRUE(daemon_.WaitForLog("key_set_read")) << daemon_.Log();
  EXPECT_EQ(FaultOf(Call(request)), "") << "the same request, asked again";
  // The last good set stays, whatever becomes of its server.
  server.Stop();
  EXPECT_EQ(FaultOf(Stream(With(Token()))), "");
  EXPECT_EQ(daemon_.Stop(), 0);
}

// In a tenant of the same service that takes its brokers' word, a token is none of anybody's.
TEST_F(AccessTokensTest, ATenantThatTakesTheBrokersWordRefusesTokens) {
  StartWithFile();
  daemon_.CreateTenant("fabrikam");
  daemon_.CreateRoot("fabrikam");
  daemon_.ReportDevice("fabrikam", "laptop-1", true);
  v1::IssueCertificateRequest request = With(Token());
  request.set_tenant_id("fabrikam");
  request.mutable_user()->set_upn("eve@fabrikam.example");
  request.set_device_id("laptop-1");
  EXPECT_THAT(daemon_.Issue(request, nullptr, kWideBroker),
              RefusedWith(v1::FIELD_INVALID, "access_token"));
  request.clear_access_token();
  EXPECT_THAT(daemon_.Issue(request, nullptr, kWideBroker), Succeeded());
}

}  // namespace
}  // namespace hourglass
