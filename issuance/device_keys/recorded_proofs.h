// Proofs that the command line of OpenSSL 3.0 made, from statements that a shell put together:
//
//   field() { printf '%d:%s\n' "$(printf %s "$1" | wc -c)" "$1"; }
//   { printf 'hourglass-device-proof-v1\n'; field contoso; …; } | openssl dgst -sha256 -sign KEY
//
// Of the tests alone.
#ifndef HOURGLASS_ISSUANCE_DEVICE_KEYS_RECORDED_PROOFS_H_
#define HOURGLASS_ISSUANCE_DEVICE_KEYS_RECORDED_PROOFS_H_

#include <chrono>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/digest.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/base/clock.h"
#include "issuance/device_keys/statements.h"

namespace hourglass::issuance {

// In base64.
struct RecordedKey {
  const char* name;
  absl::string_view public_key;  // SubjectPublicKeyInfo
  absl::string_view proof;       // of RecordedQuestion()
  absl::string_view enrolment;   // of laptop-1 of contoso
};

inline constexpr RecordedKey kP256 = {
    "p256",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERlEjY0FFGxB9ef84T7rFNv3qceL4M7JlPMtbzhVQitFVmhWF7K4d"
    "wYDaslFS7ZfpcZtDRw8v4dn0lmpBtGcGPg==",
    "MEUCIQC/2ViuwtTBAj5blQlBW86yubabN68Z1aj5VzEFkm0h5gIgfwBD81upThezg7kJhODGfO2v+i9uNQuwVzzF"
    "Gkj9KAY=",
    "MEYCIQD+Mtk0mmEo7INIeYBM89SwD4QkIv8l2tSc98FvGJKW+wIhAI4de52FnrkoMrQ6UYo91CzPu14/inCWO8eZ"
    "sMbzcUMs"};

inline constexpr RecordedKey kP384 = {
    "p384",
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEic6jw12WnvsUk33sPo/Fs9rPjq8L17KixiK/FqZPHkWZNeYSvuKLZr23"
    "HXXJR3u3/08d36q2I8u0EpjJG8cmuun+oFEkko0/PYKQfMcVfsLzfO+OLZdK2uaqPeyMgkuQ",
    "MGUCMCeTU2MEx7oD6r9yVjFI+J0zAK0jBqd2/A41crbGoPC0MPruhY+tN7/OJ9J5WtzWUQIxAIaZRIpPCxLhwBcZ"
    "dospiX/GyXReHKAayngDChb/RoehV7Iig2nMWl+JGSDARuL59g==",
    "MGUCMDuUpzAjeasXds7GkiguXFqTJBopKHde9LNnWRvM0Ewg8h2jbyEszlCisgV5ppFcXAIxAIltfn0Qy2YgoTH3"
    "1pWu5xJwQzVIL68VNvG+nV6WdEygj9BfSRmNmO/UbIK8RUz7LQ=="};

inline constexpr RecordedKey kRsa = {
    "rsa",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2RJ8G6DbYAksyu5xkRIawgQWLlVwjc3S5lJmJ6aPjhJm"
    "qFpL6jOQgwra1PiFM0o82JIsxAxoMwXMHSv+SWPx4DHON8aXMZTlZtWRkLsjE+LV07bAfh93zdRuGydvKYRPAEWO"
    "Mh5nk88E0m4jrZV74wVLcloD7fv1uCm/9lcBc9+sNgvcu2+N98YayF6mNkdFBzX5DxIMWdYEUpm65KGSdTkTE7fa"
    "m4LH/97tYv8sTjCVvReWKwaC/N7xNKGBZNPwgI9k5+cSe6Iw2MC51GP0K9ZIQfTpn5a2GOB4AstryKp7ZlzgWIBb"
    "8FADC6C7VJvNftZP1zIucNiPVrlziADSxwIDAQAB",
    "P85Fn/sbmIa7r5w6eFycp1pfNQqZQ5dHuXlOFaSUbV0FGjeUiR8yP9e5owLH7lpOX3Z0/vKbUU7C5g1GJFZ7R2A3"
    "ZKu5/whsAvI2Z6IWvaqzg6sFwqAqJljt4/4oStq/vBrNKzeYOzkDOC4urPMyHZ6Dx2kvaGsrXw/UXKjDL1bXXbG6"
    "yFPky+akCbi0huLqhp2GZ3MK8tNK5t8KoLezmRKUWM+Rce4NiFza69D+gJ201VsFfWgL+psjkXE8CI4MWv7SAI+L"
    "D6LoUEnmwGAU+jO+XSI5EUh4sJ7NHgwyvc6raKXekqD30U2VkvVo3Nmoj999NNUNVwE/t7eOU4nyRQ==",
    "aje2N9B8Vzp9dpfp/sq66IOP03ElnHOr7AHcMJQ/Nx6fEusn/vRKv2WyHHV4kfRQNnCREm7B2R7RZ2ThqH3RhfA2"
    "WwQwYyg9M/yXmvmUy46qheiiBa0J8U1N6DKsoI2RJItBiHY+wFXGloNiPqcZzN5XXg8cDo5QI2kI9+hyPtVCAE0w"
    "+QqAkn8T2uOwy5UOmSO2sLnkb6E2wTkFUedY6MyTwhhZ0+fYtNmYH6aCAI+lWk1F6WW8GsjfePrSGt1erInWtS6i"
    "GFYvgKtQRydKhbeFKQVrMFXZ53ODcqnvfUKwY8Xlu3gyEt0iqHSykiC51+Sh7jHkpDR3BSVEqGvKTA=="};

// By kP256 over the same, with SHA-384; by kRsa with RSASSA-PSS.
inline constexpr absl::string_view kP256ProofWithSha384 =
    "MEQCH0tZLsYzN9J60hKg1fMC540iP3xAeuecH5QnGGAXyUACIQD2vIxF++paCPNnBEwe2eSbxzYAnoEbKniCnfgL"
    "YAOtDg==";
inline constexpr absl::string_view kRsaProofWithPss =
    "U/ZxQJXNud6tWzf1GaQDrc9JAIXP+ZuxYktfAZtSy8AfFquv9agqDnj69G2sJbvWeeD+r64hfA6mUIKO5bOpQa5y"
    "9E/UHF0X0x9tHH/4f6DnD4OrhoyohaD7uE/U7drml6ibWukyFPyyPh+wXlSUwyOrsSaTgf4I1Io5fi5m9w2gZWaB"
    "+fmj7sPWve1YHTTqgg94Ol9uLDnYXjO89ce5kBjR4+NXU1gBHMOoyLCuODHrKB5f6PUb6bsCmActHUdtKvXt92U4"
    "8aabCk20ismpPr8mJIP0uNmVDVHW88OTTeCu9dCqGpLk46XGV76bjYVlwrYpbxeSXqVjGLsuQvdPaQ==";

inline constexpr std::chrono::sys_seconds kRecordedAt{std::chrono::seconds(1767323045)};

inline std::string Unbase64(absl::string_view text) {
  std::string octets;
  return absl::Base64Unescape(text, &octets) ? octets : std::string();
}

inline const std::string& RecordedNonce() {
  static const auto* const nonce =
      new std::string(absl::HexStringToBytes("000102030405060708090a0b0c0d0e0f"));
  return *nonce;
}

inline DeviceQuestion RecordedQuestion() {
  static const auto* const hash = new std::string(ca::Sha256("the key to be certified"));
  return {"contoso", "u-17", "älice@contoso.example", "laptop-1", *hash, "request-1"};
}

inline v1::DeviceProof RecordedProof(absl::string_view signature) {
  v1::DeviceProof proof;
  proof.mutable_signed_at()->set_seconds(kRecordedAt.time_since_epoch().count());
  proof.set_nonce(RecordedNonce());
  proof.set_signature(Unbase64(signature));
  return proof;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DEVICE_KEYS_RECORDED_PROOFS_H_
