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

// Of a request whose broker says for whom it is.
std::string Digest(const Caller& caller, const v1::IssueCertificateRequest& request) {
  return RequestDigest(caller, request,
                       {request.user().id(), request.user().upn(), request.device_id()});
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
  EXPECT_EQ(absl::BytesToHexString(Digest(Broker(), Request())),
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
  std::set<std::string> digests = {Digest(Broker(), Request())};
  std::size_t made = 1;
  for (const auto& change : changes) {
    Caller caller = Broker();
    v1::IssueCertificateRequest request = Request();
    change(caller, request);
    digests.insert(Digest(caller, request));
    EXPECT_EQ(digests.size(), ++made);
  }
}

TEST(RequestDigestTest, ItsIdAndWhatElseIsKnownOfItsCallerDoNotCount) {
  Caller renewed = Broker();
  renewed.identity = "dns:new.example";
  renewed.roles = {Role::kAuditor};
  v1::IssueCertificateRequest again = Request();
  again.set_request_id("request-2");
  EXPECT_EQ(Digest(renewed, again), Digest(Broker(), Request()));
}

// Whom a token names is as if the request had named him, and the token is nothing.
TEST(RequestDigestTest, OfATokenCountsWhomItNames) {
  v1::IssueCertificateRequest silent = Request();
  silent.clear_user();
  silent.clear_device_id();
  silent.set_access_token("ey.first.token");
  const DigestedHolder holder = {"u-17", "alice@contoso.example", "laptop-1"};
  const std::string digest = RequestDigest(Broker(), silent, holder);
  EXPECT_EQ(digest, Digest(Broker(), Request()));
  silent.set_access_token("ey.newer.token");
  EXPECT_EQ(RequestDigest(Broker(), silent, holder), digest);
  for (const DigestedHolder& other : {DigestedHolder{"u-18", holder.user_upn, holder.device_id},
                                      DigestedHolder{"u-17", "alice@new.example", "laptop-1"},
                                      DigestedHolder{"u-17", holder.user_upn, "laptop-2"}}) {
    EXPECT_NE(RequestDigest(Broker(), silent, other), digest);
  }
}

TEST(RequestDigestTest, HasThirtyTwoOctetsOfAnything) {
  EXPECT_EQ(Digest(Caller(), v1::IssueCertificateRequest()).size(), 32u);
  v1::IssueCertificateRequest request = Request();
  request.set_pkcs10(std::string(100'000, 'x'));
  EXPECT_EQ(Digest(Broker(), request).size(), 32u);
}

}  // namespace
}  // namespace hourglass::issuance
