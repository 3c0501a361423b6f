// Rules about the text of a profile and its structure.
#include "tools/profiles/rules.h"

namespace hourglass::profiles {

using doctor::Severity;

const Rule kByteOrderMark = {
    "byte-order-mark", Severity::kWarning,
    "portals that take the profile as a value call it invalid XML (\"incorrect format\")",
    "save it as UTF-8 without a byte order mark"};
const Rule kInvisibleCharacter = {
    "invisible-character", Severity::kError,
    "the value is another one than it seems, or the profile is called invalid XML",
    "delete the character and type the blank anew; such characters come along when text is copied"};
const Rule kPastedTree = {
    "pasted-tree", Severity::kError,
    "the hyphens of a browser's tree view are text: the profile is called invalid XML",
    "copy the source of the document, not what a browser shows of it"};
const Rule kTextAround = {"text-around", Severity::kError, "the profile is called invalid XML",
                          "the value begins with `<VPNProfile` and ends with `</VPNProfile>`"};
const Rule kLostBlank = {"lost-blank", Severity::kError,
                         "the element has another name, or the XML is not well-formed",
                         "a blank stands before `xmlns`, and none in it: `<EapHostConfig xmlns=`"};
const Rule kNotWellFormed = {"not-well-formed", Severity::kError,
                             "Windows cannot parse the profile and applies nothing of it",
                             "close each element where it was opened, and quote each attribute"};
const Rule kUnboundPrefix = {"unbound-prefix", Severity::kError,
                             "the profile is called invalid XML",
                             "take the attribute or element with the prefix out, or declare it"};
const Rule kEscapedTwice = {
    "escaped-twice", Severity::kError,
    "what comes out of it is text and no XML: CreateInstance fails with a general error",
    "escape ProfileXML exactly once where it goes into another XML or into the MDM bridge"};
const Rule kEscaped = {"escaped", Severity::kNote, "lines are those of what is escaped", ""};
const Rule kNotAProfile = {"not-a-profile", Severity::kError, "there is nothing to apply",
                           "ProfileXML is one VPNProfile element, an EAP configuration one "
                           "EapHostConfig element"};
const Rule kOmaUri = {"oma-uri", Severity::kError,
                      "the device refuses the setting or never looks at it",
                      "./User/Vendor/MSFT/VPNv2/NAME/ProfileXML (./Device/… for a device tunnel), "
                      "NAME with %20 for each blank and without `/`"};
const Rule kSpreadValue = {"spread-value", Severity::kWarning,
                           "some versions of Windows take the line break for a part of the value",
                           "write the value on one line, right between the tags"};
const Rule kWrongNamespace = {
    "wrong-namespace", Severity::kError,
    "for Windows it is another element: these settings are refused or ignored",
    "namespaces are compared as they are written: `http://`, no slash at the end"};
const Rule kUnknownElement = {"unknown-element", Severity::kError,
                              "Windows ignores the setting, or refuses the whole profile", ""};
const Rule kMisplacedElement = {"misplaced-element", Severity::kError,
                                "Windows ignores the setting, or refuses the whole profile", ""};
const Rule kElementOrder = {
    "element-order", Severity::kWarning,
    "Windows 11 and Intune refuse some profiles for it (event 404, error 0x87d101f4), others not",
    "keep the order of the schema"};
const Rule kRepeatedElement = {"repeated-element", Severity::kError,
                               "which of them counts is not defined", "keep one of them"};
const Rule kMissingElement = {"missing-element", Severity::kError, "Windows refuses the profile",
                              "add it"};
const Rule kStrayText = {"stray-text", Severity::kWarning,
                         "it is content where only elements may be: a strict reader refuses it",
                         "delete it; a comment ends in `-->`, not in `-->>`"};
const Rule kUnknownAttribute = {"unknown-attribute", Severity::kWarning,
                                "Windows ignores it, or refuses the profile", "delete it"};
const Rule kNotABoolean = {
    "not-a-boolean", Severity::kError,
    "the profile is applied by half, without an error: other settings are lost, too",
    "`true` or `false`, in small letters, nothing else"};
const Rule kUnknownValue = {"unknown-value", Severity::kError,
                            "Windows refuses the profile, or falls back to something else", ""};
const Rule kNotANumber = {"not-a-number", Severity::kError, "Windows refuses the profile", ""};

}  // namespace hourglass::profiles
