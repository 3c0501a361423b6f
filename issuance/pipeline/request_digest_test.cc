#include "issuance/pipeline/request_digest.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "absl/strings/escaping.h"

namespace hourglass::issuance {
namespace {

Caller Broker() {
  Caller caller;
  caller.name = "broker";
  caller.identity = "dns:broker.example";
  return caller;
}

v1::IssueCertificateRequest Request() {
  v1::IssueCertificateRequest request;
  request.set_tenant_id("contoso");
  request.set_request_id("request-1");
  request.mutable_user()->set_id("u-17");
  request.mutable_user()->set_upn("alice@contoso.example");
  request.set_device_id("laptop-1");
  request.set_pkcs10(std::string("\x30\x00\xff", 3));
  return request;
}

// Of `6:broker7:contoso4:u-1721:alice@contoso.example8:laptop-13:` and the three octets, by
// sha256sum. Those that are recorded must be found again by every later version.
TEST(RequestDigestTest, IsWhatItWasBefore) {
  EXPECT_EQ(absl::BytesToHexString(RequestDigest(Broker(), Request())),
            "f347f313944d49325689ed2647d6d84d2d57fcff60875265b03631e08921e85e");
}

TEST(RequestDigestTest, EachFieldMakesAnother) {
  const std::function<void(Caller&, v1::IssueCertificateRequest&)> changes[] = {
      [](auto& caller, auto&) { caller.name = "other"; },
      [](auto&, auto& request) { request.set_tenant_id("fabrikam"); },
      [](auto&, auto& request) { request.mutable_user()->set_id("u-18"); },
      [](auto&, auto& request) { request.mutable_user()->set_upn("bob@contoso.example"); },
      [](auto&, auto& request) { request.set_device_id("laptop-2"); },
      [](auto&, auto& request) { request.set_pkcs10(std::string("\x30\x00\xfe", 3)); },
      [](auto&, auto& request) { request.clear_user(); },
      // The same letters, cut elsewhere.
      [](auto&, auto& request) {
        request.mutable_user()->set_id("u-17a");
        request.mutable_user()->set_upn("lice@contoso.example");
      },
      // And made to look as another's length.
      [](auto&, auto& request) {
        request.mutable_user()->set_id("");
        request.mutable_user()->set_upn("4:u-1721:alice@contoso.example");
      },
  };
  std::set<std::string> digests = {RequestDigest(Broker(), Request())};
  std::size_t made = 1;
  for (const auto& change : changes) {
    Caller caller = Broker();
    v1::IssueCertificateRequest request = Request();
    change(caller, request);
    digests.insert(RequestDigest(caller, request));
    EXPECT_EQ(digests.size(), ++made);
  }
}

TEST(RequestDigestTest, ItsIdAndWhatElseIsKnownOfItsCallerDoNotCount) {
  Caller renewed = Broker();
  renewed.identity = "dns:new.example";
  renewed.roles = {Role::kAuditor};
  v1::IssueCertificateRequest again = Request();
  again.set_request_id("request-2");
  EXPECT_EQ(RequestDigest(renewed, again), RequestDigest(Broker(), Request()));
}

TEST(RequestDigestTest, HasThirtyTwoOctetsOfAnything) {
  EXPECT_EQ(RequestDigest(Caller(), v1::IssueCertificateRequest()).size(), 32u);
  v1::IssueCertificateRequest request = Request();
  request.set_pkcs10(std::string(100'000, 'x'));
  EXPECT_EQ(RequestDigest(Broker(), request).size(), 32u);
}

}  // namespace
}  // namespace hourglass::issuance
