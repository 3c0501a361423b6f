#include "tools/hourglass/doctor_canary.h"

#include "absl/strings/ascii.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/software_key.h"
#include "tools/broker/certificate_request.h"
#include "tools/client/certificate.h"
#include "tools/client/connection.h"
#include "tools/client/connection_config.h"
#include "tools/client/files.h"
#include "tools/client/request_id.h"

namespace hourglass::cli {

absl::StatusOr<doctor::Credential> GetCanary(const CanaryOrder& order) {
  ASSIGN_OR_RETURN(const client::ConnectionConfig config,
                   client::LoadConnectionConfig(order.broker_config));
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  doctor::Credential canary;
  ASSIGN_OR_RETURN(canary.private_key_pem, hsm::GenerateSoftwareKeyPem(hsm::KeyType::kEcP256));
  ASSIGN_OR_RETURN(const broker::CertificateRequest asked,
                   broker::MakeCertificateRequest(canary.private_key_pem));
  v1::IssueCertificateRequest request;
  request.set_tenant_id(order.tenant);
  request.mutable_user()->set_id(order.user_id);
  request.mutable_user()->set_upn(order.user);
  request.set_device_id(order.device);
  request.set_pkcs10(asked.der);
  request.set_request_id(client::NewRequestId());
  if (!order.access_token_file.empty()) {
    ASSIGN_OR_RETURN(const std::string token, client::ReadWholeFile(order.access_token_file));
    request.set_access_token(std::string(absl::StripAsciiWhitespace(token)));
  }
  ASSIGN_OR_RETURN(
      const v1::IssueCertificateResponse response,
      client::Call(connection, &v1::CertificateIssuer::Stub::IssueCertificate, request));
  canary.certificate_pem = client::PemOfCertificate(response.certificate());
  for (const std::string& above : response.chain()) {
    canary.certificate_pem += client::PemOfCertificate(above);
  }
  return canary;
}

}  // namespace hourglass::cli
