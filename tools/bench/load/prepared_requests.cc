#include "tools/bench/load/prepared_requests.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hourglass/v1/issuance.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"

namespace hourglass::bench {
namespace {

struct SignedRequest {
  std::string pkcs10;      // DER
  std::string public_key;  // SubjectPublicKeyInfo, DER
};

template <typename T>
std::string DerOf(const T* object, int (*encode)(const T*, unsigned char**)) {
  unsigned char* der = nullptr;
  const int size = encode(object, &der);
  if (size <= 0) return "";
  std::string octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return octets;
}

absl::StatusOr<SignedRequest> MakeSignedRequest() {
  const EvpPkeyPtr key(EVP_EC_gen("P-256"));
  const X509ReqPtr request(X509_REQ_new());
  SignedRequest made;
  if (key != nullptr && request != nullptr &&
      X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>("user"), -1, -1, 0) == 1 &&
      X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0) {
    made = {DerOf<X509_REQ>(request.get(), i2d_X509_REQ), DerOf<EVP_PKEY>(key.get(), i2d_PUBKEY)};
  }
  if (made.pkcs10.empty() || made.public_key.empty()) {
    return Error(ErrorReason::kInternalError, "", absl::StrCat("PKCS#10: ", DrainOpensslErrors()));
  }
  return made;
}

// Of the request of this index.
int DeviceOf(std::size_t index, const PreparedRequestsOptions& options) {
  return static_cast<int>(index / options.tenant_ids.size()) % options.devices_per_tenant;
}

}  // namespace

std::string DeviceIdOf(int number) {
  return absl::StrFormat("e0000000-0000-4000-8000-%012d", number);
}

std::string UserIdOf(int number) {
  return absl::StrFormat("d0000000-0000-4000-8000-%012d", number);
}

absl::StatusOr<PreparedRequests> PreparedRequests::Make(const PreparedRequestsOptions& options) {
  const auto tenants = static_cast<int>(options.tenant_ids.size());
  const int requests = std::max(options.requests, tenants);
  std::vector<SignedRequest> signed_requests;
  for (int i = 0; i < std::min(options.keys, requests); ++i) {
    ASSIGN_OR_RETURN(SignedRequest made, MakeSignedRequest());
    signed_requests.push_back(std::move(made));
  }
  PreparedRequests pool;
  for (int i = 0; i < requests; ++i) {
    const SignedRequest& made =
        signed_requests[static_cast<std::size_t>(i) % signed_requests.size()];
    const int device = DeviceOf(static_cast<std::size_t>(i), options);
    PreparedRequest prepared;
    prepared.tenant_id = options.tenant_ids[static_cast<std::size_t>(i % tenants)];
    prepared.user_upn = absl::StrCat("user-", device, "@", prepared.tenant_id, ".example");
    prepared.public_key = made.public_key;
    v1::IssueCertificateRequest request;
    request.set_tenant_id(prepared.tenant_id);
    request.mutable_user()->set_id(UserIdOf(device));
    request.mutable_user()->set_upn(prepared.user_upn);
    request.set_device_id(DeviceIdOf(device));
    request.set_pkcs10(made.pkcs10);
    prepared.head = request.SerializeAsString();
    pool.requests_.push_back(std::move(prepared));
  }
  if (options.tokens != nullptr) pool.AddTokens(options);
  return pool;
}

void PreparedRequests::AddTokens(const PreparedRequestsOptions& options) {
  const std::size_t shares = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (std::size_t share = 0; share < shares; ++share) {
    threads.emplace_back([this, &options, share, shares] {
      for (std::size_t i = share; i < requests_.size(); i += shares) {
        const int device = DeviceOf(i, options);
        // Fields of a message may come one after the other.
        v1::IssueCertificateRequest token;
        token.set_access_token(
            options.tokens->Token(UserIdOf(device), requests_[i].user_upn, DeviceIdOf(device)));
        token.AppendToString(&requests_[i].head);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

RequestIds::RequestIds() {
  std::random_device device;
  std::seed_seq seeds = {device(), device(), device(), device()};
  random_.seed(seeds);
}

std::string RequestIds::Next() {
  const std::uint64_t high = random_(), low = random_();
  return absl::StrFormat("%08x-%04x-4%03x-%04x-%012x", high >> 32, (high >> 16) & 0xFFFF,
                         high & 0xFFF, 0x8000 | (low >> 48 & 0x3FFF), low & 0xFFFFFFFFFFFF);
}

grpc::ByteBuffer Serialized(const PreparedRequest& request, const std::string& request_id) {
  // Tag and length of a string field (protobuf's encoding): ids are shorter than 128 octets.
  std::string id;
  id.push_back(static_cast<char>(v1::IssueCertificateRequest::kRequestIdFieldNumber << 3 | 2));
  id.push_back(static_cast<char>(request_id.size()));
  id.append(request_id);
  const grpc::Slice slices[] = {
      grpc::Slice(request.head.data(), request.head.size(), grpc::Slice::STATIC_SLICE),
      grpc::Slice(id)};
  return grpc::ByteBuffer(slices, 2);
}

}  // namespace hourglass::bench
