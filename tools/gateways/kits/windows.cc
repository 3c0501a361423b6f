#include "tools/gateways/kits/windows.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ca/text/visible_text.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/windows_templates.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr KitValue kValues[] = {
    {"connection_name", "the name of the VPN connection on clients, as in its profile", ""},
};

// What Windows allows in no name of a connection, and what ends a section of rasphone.pbk.
constexpr char kNotInNames[] = "\\/:*?\"<>|[]";

constexpr absl::string_view kBom = "\xEF\xBB\xBF";

std::string WithCrLf(absl::string_view text) { return absl::StrReplaceAll(text, {{"\n", "\r\n"}}); }

// Windows PowerShell takes a script without the mark for one in the machine's own code page.
std::string AsPowerShell(absl::string_view text) { return absl::StrCat(kBom, WithCrLf(text)); }

// UTF-16LE with its mark, as regedit writes it. The template is ASCII.
std::string AsRegistry(absl::string_view text) {
  std::string octets = "\xFF\xFE";
  for (const char character : WithCrLf(text)) {
    octets.push_back(character);
    octets.push_back('\0');
  }
  return octets;
}

// A string that PowerShell expands nothing in. It takes four other characters of Unicode for the
// same quote (about_Quoting_Rules).
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'",
                      absl::StrReplaceAll(text, {{"'", "''"},
                                                 {"\u2018", "\u2018\u2018"},
                                                 {"\u2019", "\u2019\u2019"},
                                                 {"\u201A", "\u201A\u201A"},
                                                 {"\u201B", "\u201B\u201B"}}),
                      "'");
}

std::string FileOf(const KitSubject& subject, const KitRoot& root) {
  return absl::StrCat(subject.tenant_id, "-", root.root_id, ".cer");
}

std::vector<KitFile> Certificates(const KitSubject& subject) {
  std::vector<KitFile> files;
  for (const KitRoot& root : subject.roots) {
    files.push_back({absl::StrCat("roots/", FileOf(subject, root)), root.der});
  }
  return files;
}

absl::StatusOr<std::string> PublishingScript(const KitSubject& subject) {
  std::string lines;
  for (const KitRoot& root : subject.roots) {
    for (const absl::string_view container : {"RootCA", "NTAuthCA"}) {
      absl::StrAppend(&lines, "certutil -dspublish -f roots\\", FileOf(subject, root), " ",
                      container, " || exit /b 1\n");
    }
  }
  return FillTemplate(WindowsTemplate("publish-roots.cmd"),
                      {{"tenant", subject.tenant_id}, {"lines", lines}});
}

absl::StatusOr<std::string> UndoOfPublishing(const KitSubject& subject) {
  std::string thumbprints;
  for (const KitRoot& root : subject.roots) {
    absl::StrAppend(&thumbprints, "#   ", absl::AsciiStrToLower(root.sha1_thumbprint), "  ",
                    root.root_id, ", ", ca::VisibleText(root.name), "\n");
  }
  return FillTemplate(WindowsTemplate("publish-roots-undo.ps1"), {{"thumbprints", thumbprints}});
}

absl::StatusOr<std::string> MachineCertificates(const KitSubject& subject) {
  const KitRoot& primary = subject.roots.front();
  return FillTemplate(
      WindowsTemplate("rras-machine-certificates.ps1"),
      {{"root_name", ca::VisibleText(primary.name)}, {"root_file", FileOf(subject, primary)}});
}

absl::Status CheckConnectionName(const Values& values) {
  RETURN_IF_ERROR(CheckLine(values, "connection_name"));
  if (ValueOf(values, "connection_name").find_first_of(kNotInNames) == std::string::npos) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kFieldInvalid, "connection_name",
               absl::StrCat("must have none of ", kNotInNames, " , as Windows wants it"));
}

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckConnectionName(values));
  ASSIGN_OR_RETURN(const std::string publishing, PublishingScript(subject));
  ASSIGN_OR_RETURN(const std::string undo, UndoOfPublishing(subject));
  ASSIGN_OR_RETURN(const std::string machines, MachineCertificates(subject));
  ASSIGN_OR_RETURN(const std::string credentials,
                   FillTemplate(WindowsTemplate("use-ras-credentials.ps1"),
                                {{"connection_name", Quoted(ValueOf(values, "connection_name"))}}));
  std::vector<KitFile> files = {
      {"README", WithCrLf(WindowsTemplate("README"))},
      {"publish-roots.cmd", WithCrLf(publishing)},
      {"publish-roots-undo.ps1", AsPowerShell(undo)},
      {"revocation.reg", AsRegistry(WindowsTemplate("revocation.reg"))},
      {"revocation-undo.reg", AsRegistry(WindowsTemplate("revocation-undo.reg"))},
      {"revocation.ps1", AsPowerShell(WindowsTemplate("revocation.ps1"))},
      {"nps.txt", WithCrLf(WindowsTemplate("nps.txt"))},
      {"rras-machine-certificates.ps1", AsPowerShell(machines)},
      {"use-ras-credentials.ps1", AsPowerShell(credentials)},
  };
  const std::vector<KitFile> certificates = Certificates(subject);
  files.insert(files.end(), certificates.begin(), certificates.end());
  return files;
}

constexpr Kit kKit = {"windows", "the roots in the forest, NPS, RRAS, clients", kValues, &Write};

}  // namespace

const Kit& WindowsKit() { return kKit; }

}  // namespace hourglass::gateways
