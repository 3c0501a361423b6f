// Where all is kept that a service must not forget.
#ifndef HOURGLASS_ISSUANCE_STORE_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_STORE_H_

#include "issuance/store/access_store.h"
#include "issuance/store/administrative_journal_store.h"
#include "issuance/store/decision_store.h"
#include "issuance/store/device_key_store.h"
#include "issuance/store/device_store.h"
#include "issuance/store/intermediate_store.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/relying_party_store.h"
#include "issuance/store/root_key_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// One database in all its roles. Whoever needs one role asks for that one.
//
// Safe to call from several threads, and the contract holds for several processes on one store.
// Every method that writes is one transaction: it is durable when it returns OK, and nothing of it
// is there otherwise. Errors of all: JOURNAL_UNAVAILABLE where the store cannot be read or written
// (the message says why: disk full, read-only, damaged, locked); and what each names. After
// JOURNAL_UNAVAILABLE, and only then, a write may come to light later, whole, where the answer to a
// commit was lost: to a database server, or to a disk that failed while it flushed. Whoever got the
// error must not act as if it were there, and finds it by its request id. A write that is refused
// with PRIMARY_CHANGED is told of first, whatever role it is of (TenantStore::changes).
class Store : public TenantStore,
              public RootKeyStore,
              public IntermediateStore,
              public JournalStore,
              public DeviceStore,
              public RelyingPartyStore,
              public PolicyStore,
              public DirectoryStore,
              public BlockStore,
              public DeviceKeyStore,
              public DecisionFactsStore,
              public DecisionStore,
              public AdministrativeJournalStore {};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_STORE_H_
