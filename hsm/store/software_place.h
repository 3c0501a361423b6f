// The folder of software keys as a place of keys.
#ifndef HOURGLASS_HSM_STORE_SOFTWARE_PLACE_H_
#define HOURGLASS_HSM_STORE_SOFTWARE_PLACE_H_

#include <memory>

#include "hsm/store/key_place.h"
#include "hsm/store/software_folder.h"

namespace hourglass::hsm {

std::unique_ptr<KeyPlace> SoftwarePlace(SoftwareFolder folder);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_SOFTWARE_PLACE_H_
