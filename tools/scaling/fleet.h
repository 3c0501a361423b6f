// What a fleet of devices asks for.
#ifndef HOURGLASS_TOOLS_SCALING_FLEET_H_
#define HOURGLASS_TOOLS_SCALING_FLEET_H_

#include <chrono>

namespace hourglass::scaling {

// Of issuance::RenewAfter (issuance/pipeline/renewal.h), for a certificate of an hour: whoever
// comes when told is told so much later, and whoever starts is told a moment that is the first so
// much later, with equal chances between this and this and a whole period.
inline constexpr std::chrono::duration<double> kRenewalPeriod{37.5 * 60};
inline constexpr std::chrono::duration<double> kEarliestRenewal{7.5 * 60};

// Certificates a second of `devices` that are all on, each at moments of its own.
double SteadyRate(double devices);

// The most certificates a second that are expected where all `devices` start within `window`,
// evenly, none having been on before. It is so at the end of the window: the last start while the
// first are back.
//   starts: devices ÷ window; those of them back at their moments: all that started
//   kEarliestRenewal ago or earlier, at the steady rate.
double MorningRate(double devices, std::chrono::duration<double> window);

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_FLEET_H_
