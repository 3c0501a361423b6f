#include "tools/client/advice.h"

#include "absl/strings/match.h"

namespace hourglass::client {
namespace {

struct Advice {
  absl::string_view reason;
  absl::string_view next;
  // Only for errors whose field begins so.
  absl::string_view field = "";
  // Only for access tokens that have this fault.
  absl::string_view fault = "";
};

constexpr absl::string_view kPinSourceAdvice =
    "put the PIN where pin-source= says; a file must be one that only the account of hourglassd "
    "may use: chmod 600";
constexpr absl::string_view kNewTokenAdvice =
    "get a new access token: have the user sign in again, and use it at once, for one certificate";
constexpr absl::string_view kAnotherHolderAdvice =
    "ask for the user and on the device that signed in (--user, --user-id, --device), or have the "
    "right one sign in";

// The first that fits.
constexpr Advice kAdvice[] = {
    {"CALLER_UNKNOWN",
     "bind this client certificate to a caller under `callers` in hourglassd.yaml"},
    {"ROLE_NOT_PERMITTED",
     "use credentials of a caller that has the role, or add it under `callers` in hourglassd.yaml"},
    {"TENANT_NOT_PERMITTED",
     "check the tenant's id; the tenants of a caller are under `callers` in hourglassd.yaml"},
    {"TENANT_UNKNOWN", "see the tenants there are: hourglass tenants list"},
    {"TENANT_EXISTS", "look at it: hourglass tenants show TENANT"},
    {"ROOT_UNKNOWN", "see the tenant's roots: hourglass roots list --tenant TENANT"},
    {"ROOT_MOVE_ILLEGAL", "see the states of the roots: hourglass roots list --tenant TENANT"},
    {"NO_PRIMARY_ROOT",
     "an administrator makes one: hourglass roots promote --tenant TENANT ROOT, or hourglass roots "
     "create … --primary"},
    {"ROOT_EXPIRING",
     "an administrator creates the next root, has relying parties trust it, and promotes it: "
     "hourglass roots create …"},
    {"SUB_KEY_NOT_ALLOWED",
     "create a root with --issuing-sub-keys, have relying parties trust it, and promote it; or "
     "turn "
     "issuing.sub_key off in hourglassd.yaml"},
    {"ROOT_NOT_YET_VALID", "check the clock of the service's machine"},
    {"PROMOTION_BLOCKED",
     "see where the rotation stands: hourglass rotation status --tenant TENANT"},
    {"RELYING_PARTY_UNKNOWN",
     "see the relying parties there are: hourglass relying-parties list --tenant TENANT"},
    {"RELYING_PARTY_EXISTS",
     "see the relying parties there are (hourglass relying-parties list --tenant TENANT), and name "
     "another; one that is to change is removed first"},
    {"BUNDLE_UNKNOWN",
     "see the version of now: hourglass rotation status --tenant TENANT; that of a file was said "
     "by "
     "hourglass roots export --all"},
    {"BUNDLE_OUTDATED",
     "the roots changed meanwhile: fetch them again (hourglass roots export --tenant TENANT "
     "--all), "
     "install them, and say it of the version of now"},
    {"BUNDLE_MISMATCH",
     "fetch the trust bundle again; if that does not help, somebody changed it on its way"},
    {"BUNDLE_INVALID",
     "what was trusted before is kept; see what an administrator sees: hourglass rotation status "
     "--tenant TENANT"},
    {"SID_UNKNOWN",
     "an administrator looks at the user (hourglass users show --tenant TENANT UPN), and imports "
     "the directory again with SIDs: hourglass users import"},
    {"TOKEN_REFUSED",
     "bring the access token of the user who signed in on the device: hourglass-broker "
     "--access-token-file FILE",
     "", "MISSING"},
    {"TOKEN_REFUSED", kNewTokenAdvice, "", "EXPIRED"},
    {"TOKEN_REFUSED", kNewTokenAdvice, "", "REPLAYED"},
    {"TOKEN_REFUSED", kNewTokenAdvice, "", "USED_BY_ANOTHER_CALLER"},
    {"TOKEN_REFUSED", kAnotherHolderAdvice, "", "ANOTHER_USER"},
    {"TOKEN_REFUSED", kAnotherHolderAdvice, "", "ANOTHER_DEVICE"},
    {"TOKEN_REFUSED",
     "see docs/tokens.md for what each fault means; an administrator compares the token's claims "
     "with tenants.TENANT.access_token in hourglassd.yaml"},
    {"TOKEN_NOT_JUDGED",
     "ask again in a minute with the same request id and token; if that does not help, the "
     "service's log says why the issuer's keys cannot be read (key_set_failed)"},
    {"REQUESTS_TOO_FREQUENT",
     "find what asks so often for this device: a client that loops, or several with its id; what "
     "it may is limits.device_requests in hourglassd.yaml",
     "device_id"},
    {"REQUESTS_TOO_FREQUENT",
     "ask later; if the tenant has so many devices, an administrator raises "
     "limits.tenant_requests in hourglassd.yaml",
     "tenant_id"},
    {"REQUESTS_TOO_FREQUENT",
     "ask later; if this caller has so many devices, an administrator raises "
     "limits.caller_requests in hourglassd.yaml"},
    {"CURSOR_UNKNOWN",
     "begin without a cursor: what still concerns a live certificate is sent again"},
    {"REQUEST_ID_REUSED", "leave --request-id out, or give another"},
    {"PRIMARY_CHANGED", "ask again"},
    {"COMPLIANCE_UNAVAILABLE",
     "check the compliance service that hourglassd.yaml names under `compliance`; of the embedded "
     "one, whether the service can read the tenant's policy: its log says why not"},
    {"COMPLIANCE_ANSWER_INVALID",
     "check the compliance service that hourglassd.yaml names under `compliance`"},
    {"DEVICE_UNKNOWN", "see the devices there are: hourglass devices list --tenant TENANT"},
    {"BLOCK_UNKNOWN", "see what is blocked: hourglass blocks list --tenant TENANT"},
    {"DEVICE_KEY_UNKNOWN", "see the keys there are: hourglass device-keys list --tenant TENANT"},
    {"DEVICE_KEY_EXISTS",
     "have the device make another key; to approve one in place of the device's: hourglass "
     "device-keys approve --replace"},
    {"DEVICE_PROOF_MISSING",
     "have the device sign, as docs/device-keys.md says; the keys it has: hourglass device-keys "
     "list --tenant TENANT --device DEVICE"},
    {"DEVICE_PROOF_REFUSED",
     "have the device sign anew, for just what is asked; the keys it has: hourglass device-keys "
     "list --tenant TENANT --device DEVICE"},
    {"USER_UNKNOWN", "see the users there are: hourglass users list --tenant TENANT"},
    {"USER_EXISTS",
     "remove who has the name (hourglass users remove), or bring all users: hourglass users import "
     "--whole"},
    {"KEY_UNAVAILABLE",
     "name the PKCS#11 library that came with the token; what it has: hourglass keys probe "
     "--module FILE",
     "module-path"},
    {"KEY_UNAVAILABLE", kPinSourceAdvice, "file:"},
    {"KEY_UNAVAILABLE", kPinSourceAdvice, "env:"},
    {"KEY_UNAVAILABLE", kPinSourceAdvice, "credential:"},
    {"KEY_UNAVAILABLE",
     "check that the TPM is there and that this account may use it (group tss); how it is reached "
     "is said by ?tcti= in the URI, for the service by keys.tpm.tcti in hourglassd.yaml",
     "tpm:"},
    {"KEY_UNAVAILABLE",
     "check that the token is there (hourglass keys probe --module MODULE), and that the account "
     "of hourglassd may use it; SoftHSM finds its tokens by $SOFTHSM2_CONF"},
    {"KEY_URI_INVALID",
     "see docs/cli.md for the forms; for the service, a place that `keys` in hourglassd.yaml has"},
    {"KEY_EXISTS", "name a file that is not there yet", "--recovery-code-out"},
    {"KEY_EXISTS", "see the keys there are (hourglass keys list), and name another"},
    {"KEY_NOT_FOUND", "see the keys there are: hourglass keys list"},
    {"KEY_UNFIT",
     "registers that were changed on purpose: hourglass keys reseal --key URI --recovery-code-file "
     "FILE; without a code only their earlier state opens the key. A changed file: restore it",
     "tpm:sealed="},
    {"KEY_UNFIT",
     "see what is wrong with it, and the command that makes a fit one: hourglass keys probe --key "
     "URI"},
    {"KEY_IN_USE", "retire or discard the root first, if it is to go: hourglass roots list"},
    {"KEY_NOT_PERMITTED",
     "name a key that begins with hourglass-TENANT-, or ask an administrator of every tenant"},
    {"KEY_DESTROYED", "nothing is left to do; what has the key's name now is another key"},
    {"PIN_REFUSED",
     "give the recovery code as it was written down; of a PIN, put the right one where its source "
     "says. Each wrong one that the TPM is asked counts against its lock",
     "tpm:"},
    {"PIN_REFUSED",
     "put the right PIN where its source says; each wrong try brings the token nearer to its lock, "
     "so hourglassd tries again only once the source gives another"},
    {"JOURNAL_UNAVAILABLE",
     "check the disk of the service's data directory: full, read-only or damaged"},
    {"CLOCK_UNTRUSTED",
     "an administrator of every tenant looks at the service's clock (hourglass clock show), and "
     "sets it right or accepts it"},
    {"CERTIFICATE_UNKNOWN", "look for it: hourglass certificates list --tenant TENANT"},
    {"INTERNAL_ERROR", "the service's log has more"},
};

}  // namespace

absl::string_view AdviceFor(absl::string_view reason, absl::string_view field,
                            absl::string_view token_fault) {
  for (const Advice& advice : kAdvice) {
    if (advice.reason == reason && absl::StartsWith(field, advice.field) &&
        (advice.fault.empty() || advice.fault == token_fault)) {
      return advice.next;
    }
  }
  return "";
}

}  // namespace hourglass::client
