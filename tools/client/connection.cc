#include "tools/client/connection.h"

#include <grpc/support/log.h>
#include <openssl/pem.h>

#include <cstdlib>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/file_forms.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "issuance/wire/status_detail.h"
#include "tools/client/files.h"
#include "tools/client/own_certificate.h"
#include "tools/client/wording.h"

namespace hourglass::client {
namespace {

constexpr char kDetailPayload[] = "hourglass/detail";

absl::StatusOr<std::string> ReadPem(absl::string_view field, const std::string& path,
                                    absl::string_view what) {
  const absl::StatusOr<std::string> octets = ReadWholeFile(path);
  if (!octets.ok()) {
    return Error(ErrorReason::kConfigurationInvalid, field, octets.status().message());
  }
  std::string pem = ca::AsText(*octets);
  if (!absl::StrContains(pem, "-----BEGIN ") || !absl::StrContains(pem, what)) {
    return Error(ErrorReason::kConfigurationInvalid, field,
                 absl::StrCat(path, " holds no PEM ", what, ", but ", ca::WhatItHolds(*octets)));
  }
  return pem;
}

// gRPC's own log would come between what the programs say; errors reach people through CallError.
void QuietGrpcUnlessAskedFor() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
}

// Says of a pair that does not fit what gRPC would not, and never asks a terminal for a passphrase.
absl::Status CheckPair(const std::string& certificate_pem, const std::string& private_key_pem) {
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const BioPtr certificate_bio(
      BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  const X509Ptr certificate(
      PEM_read_bio_X509(certificate_bio.get(), nullptr, no_passphrase, nullptr));
  if (certificate == nullptr) {
    return Error(ErrorReason::kConfigurationInvalid, "tls.certificate",
                 absl::StrCat("cannot be parsed: ", DrainOpensslErrors()));
  }
  const BioPtr key_bio(
      BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())));
  const EvpPkeyPtr key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) {
    return Error(ErrorReason::kConfigurationInvalid, "tls.private_key",
                 absl::StrCat("cannot be parsed, or is encrypted: ", DrainOpensslErrors()));
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Error(ErrorReason::kConfigurationInvalid, "tls.private_key",
                 absl::StrCat("is not the key of tls.certificate: ", DrainOpensslErrors()));
  }
  return absl::OkStatus();
}

// What gRPC says of a failed connection is long, and the interesting part stands at its end.
std::string WhyUnreachable(const std::string& message) {
  const std::string last = "last error: UNKNOWN: ";
  const std::size_t at = message.find(last);
  return at == std::string::npos ? message : message.substr(at + last.size());
}

}  // namespace

absl::StatusOr<Connection> Connection::Open(const ConnectionConfig& config) {
  QuietGrpcUnlessAskedFor();
  grpc::SslCredentialsOptions tls;
  ASSIGN_OR_RETURN(tls.pem_cert_chain,
                   ReadPem("tls.certificate", config.certificate, "CERTIFICATE"));
  ASSIGN_OR_RETURN(tls.pem_private_key,
                   ReadPem("tls.private_key", config.private_key, "PRIVATE KEY"));
  ASSIGN_OR_RETURN(tls.pem_root_certs,
                   ReadPem("tls.trusted_roots", config.trusted_roots, "CERTIFICATE"));
  RETURN_IF_ERROR(CheckPair(tls.pem_cert_chain, tls.pem_private_key));
  RETURN_IF_ERROR(CheckOwnCertificate(tls.pem_cert_chain, config.certificate, absl::Now()));
  grpc::ChannelArguments arguments;
  if (!config.server_name.empty()) arguments.SetSslTargetNameOverride(config.server_name);
  // The service is called directly: a proxy of the environment could not carry its mutual TLS
  // anyway.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Each connection is its own, so that a new one never inherits another's wait before
  // reconnecting.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  Connection connection;
  connection.channel_ =
      grpc::CreateCustomChannel(config.server, grpc::SslCredentials(tls), arguments);
  connection.server_ = config.server;
  connection.timeout_ = config.timeout;
  return connection;
}

absl::Status CallError(const grpc::Status& status, absl::string_view server) {
  const auto detail = issuance::ErrorDetailOf(status);
  absl::Status error = issuance::FromGrpcStatus(status);
  if (detail.has_value()) {
    error.SetPayload(kDetailPayload, absl::Cord(detail->SerializeAsString()));
    return error;
  }
  if (error.code() == absl::StatusCode::kUnavailable) {
    return absl::UnavailableError(
        absl::StrCat("cannot reach ", server, ": ", WhyUnreachable(status.error_message())));
  }
  if (error.code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::DeadlineExceededError(absl::StrCat("no answer from ", server, " in time"));
  }
  return error;
}

v1::ErrorDetail DetailOf(const absl::Status& status) {
  v1::ErrorDetail detail;
  const auto payload = status.GetPayload(kDetailPayload);
  if (payload.has_value() && !detail.ParseFromString(std::string(*payload))) detail.Clear();
  return detail;
}

}  // namespace hourglass::client
