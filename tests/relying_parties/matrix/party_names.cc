#include "tests/relying_parties/matrix/results.h"

namespace hourglass::matrix {

const std::vector<PartyName>& PartyNames() {
  static const std::vector<PartyName> kNames = {
      {"freeradius", "FreeRADIUS 3.2", "EAP-TLS in TLS 1.3, by eapol_test",
       "`hourglass gateways kit freeradius`: a virtual server that compares each purpose, and the "
       "UPN with the User-Name",
       "Without the kit's virtual server anybody with a certificate comes in under any name.",
       "`check_crl = yes`, which looks for lists in `ca_file`. The kit has `check_crl = no`, in "
       "the "
       "`tls-config` of these roots"},
      {"strongswan_pubkey", "strongSwan 5.9, certificates", "IKEv2, `auth = pubkey`",
       "`hourglass gateways kit strongswan`",
       "It knows no purpose but a few, and demands none of a client: the kit trusts nothing but "
       "the "
       "tenant's roots in that connection, which sign nothing without the OID. Take eap-radius "
       "where "
       "you can.",
       "`revocation = strict`; the kit leaves the default, `relaxed`, in the connection"},
      {"strongswan_eap_tls", "strongSwan 5.9, EAP-TLS", "IKEv2, `auth = eap-tls` at the gateway",
       "`hourglass gateways kit strongswan`",
       "It knows no purpose but a few, and demands none of a client: the kit trusts nothing but "
       "the "
       "tenant's roots in that connection, which sign nothing without the OID. Take eap-radius "
       "where "
       "you can. A client of strongSwan shows nobody else's certificate within EAP.",
       "`revocation = strict`; the kit leaves the default, `relaxed`, in the connection"},
      {"strongswan_eap_radius", "strongSwan 5.9, EAP-RADIUS",
       "IKEv2, `auth = eap-radius`, before FreeRADIUS",
       "`hourglass gateways kit strongswan` and `freeradius`",
       "FreeRADIUS decides, with the configuration of its own row. A client of strongSwan shows "
       "nobody "
       "else's certificate within EAP.",
       "as FreeRADIUS"},
      {"openvpn", "OpenVPN 2.6", "a client of OpenVPN over TCP, in TLS 1.3",
       "`hourglass gateways kit openvpn`: `remote-cert-eku` and, with allowed users, "
       "`tls-verify`",
       "It knows users by the common name: the UPN, or the user's id where the UPN is longer than "
       "64 characters.",
       "`crl-verify`, which asks for no list of a root that has none in it; the kit has none, in "
       "the "
       "instance of these roots"},
      {"nginx", "nginx 1.22", "HTTPS in TLS 1.3",
       "`hourglass gateways kit nginx`: a function for nginx's perl module",
       "It has no word for purposes; without the perl module nothing keeps them apart.",
       "`ssl_crl`, which then must have a list for each authority; the kit has none, in its "
       "`server`"},
      {"apache", "Apache 2.4", "HTTPS in TLS 1.3",
       "`hourglass gateways kit apache`: `PeerExtList` and `SSL_CLIENT_SAN_OTHER_msUPN_0`",
       "It compares the whole list of purposes as a text: right for what Hourglass writes, in its "
       "order, and for no other.",
       "`SSLCARevocationCheck leaf` or `chain`; the kit says `none`, in its virtual host"},
      {"haproxy", "HAProxy 2.6", "HTTPS in TLS 1.3",
       "`hourglass gateways kit haproxy`: a condition over the octets of the certificate, and one "
       "over its common name",
       "It compares the octets of the whole extension, lengths included: right for what Hourglass "
       "writes, in its order, and for no other. A user is known by the common name.",
       "`crl-file`; the kit has none, in its `bind` line"},
      {"gnutls", "GnuTLS 3.7", "gnutls-serv with `--verify-client-cert`, in TLS 1.3",
       "an application that calls gnutls_certificate_verify_peers() with "
       "`GNUTLS_DT_KEY_PURPOSE_OID` once for clientAuth and once for the OID; asked through "
       "`certtool --verify-purpose`",
       "No kit. gnutls_certificate_verify_peers2() looks at no purpose. A certificate without any "
       "is good for every one: refuse it where gnutls_x509_crt_get_key_purpose_oid() finds none. "
       "Whose the certificate is, the application has to look at.",
       "a list that was given; none is asked for otherwise. So give none to the credentials of "
       "these roots"},
      {"nss", "NSS 3.87", "selfserv -rr, in TLS 1.3", "",
       "No kit. Its check knows the purposes of TLS alone: the application has to read the "
       "certificate's extension, and its name. It lets a certificate in up to a day before it "
       "begins (`CERT_SetSlopTime`).",
       "`CERT_PKIXVerifyCert` with fresh information demanded, here by `vfychain -g leaf -h "
       "requireFreshInfo -m crl -s failIfNoInfo`; leave `cert_pi_revocationFlags` out"},
      {"botan", "Botan 2.19", "Botan::x509_path_validate() as TLS_CLIENT_AUTH",
       "an application that asks `has_ex_constraint(OID(\"1.3.6.1.4.1.311.87\"))` of the leaf",
       "No kit. Whose the certificate is, the application has to look at.",
       "`Path_Validation_Restrictions(true)`; the default is false, for each validation"},
      {"stunnel", "stunnel 5.68", "a TCP service behind it, in TLS 1.3",
       "`hourglass gateways kit stunnel`",
       "The kit cannot close this: stunnel sees no purpose beside clientAuth, and no user. The "
       "tenant's roots sign nothing without the OID, so trust no other authority there.",
       "`CRLfile` and `CRLpath`; the kit has none, in its service"},
      {"openssl", "OpenSSL 3.0", "openssl verify", "", "",
       "`-crl_check`, `X509_V_FLAG_CRL_CHECK`; leave it out of the X509_STORE of these roots"},
      {"java", "Java 17 (PKIX)", "java.security.cert.CertPathValidator", "", "",
       "**on by default**; `PKIXParameters.setRevocationEnabled(false)`, in the parameters of "
       "these roots"},
  };
  return kNames;
}

}  // namespace hourglass::matrix
