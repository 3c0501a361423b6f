/* The fence: several replicas, one database that fails over (promise 6).
 *
 * How to read and run it, and what is not in it: README.md. Why the fence is as it is:
 * ../decisions/0033-the-fence-is-an-advisory-lock.md.
 *
 * A step is one statement that the database has answered, or one act of a replica, a machine or the
 * network. Between any two steps of a replica everything else may happen, as often as it likes: a
 * replica that is paused takes no step.
 */

/* ---- How much there is of everything. ---- */
#ifndef ISSUES
#define ISSUES 3 /* 1 to 3: a request and its repeats, each in the hand of any replica */
#endif
#ifndef PROMOTIONS
#define PROMOTIONS 2 /* 0 to 2: each in the hand of any replica; one may be a rollback */
#endif
#ifndef FAILOVERS
#define FAILOVERS 1 /* 0 or 1 */
#endif
#ifndef FAULTS
#define FAULTS 1 /* a replica crashes in a transaction, node 0 is restarted, a wait is cancelled */
#endif

/* ---- The properties. Each has a flag that its first breach sets, and the verifier's error names
 * the flag. Where ONLY is the number of one, the others are not looked at. ---- */
#ifndef ONLY
#define ONLY 0
#endif
bool released_after_successor; /* 1: a release was committed after its epoch had ended */
bool intended_after_successor; /* 2: an intent was */
bool handed_over_unrecorded;   /* 3: what left is not in the database that survives */
bool second_certificate;       /* 4: two certificates of one request id left */
bool recorded_otherwise;       /* 5: a release holds another certificate than its intent */
bool not_one_primary;          /* 6 */
bool promotion_lost;           /* 7: it was answered, and is not in the database that survives */
bool answered_of_old_epoch;    /* 8: what left was released, or looked up, by a COMMIT that reached
                                  the database after the promotion to a later epoch was answered */

inline hold(number, breach, condition) {
  if
  :: (ONLY == 0 || ONLY == number) && !(condition) -> breach = true
  :: else
  fi;
  assert(!breach)
}

/* ---- The database. Node 0 is the primary until node 1, its synchronous standby, takes over. Node
 * 0 goes on then, as if nothing had happened, for whoever still talks to it. ---- */

/* An epoch with its primary root: nodes that have parted may give one epoch to different roots. */
#define TERM(epoch, root) ((epoch)*4 + (root))
#define EPOCH(term) ((term) / 4)
#define ROOT(term) ((term) % 4)

typedef Records {
  byte term;          /* tenants: epoch and primary_root, one row */
  byte primaries = 1; /* roots: a bit for each whose state is PRIMARY */
  byte intent;        /* the certificate that is intended; 0: none */
  byte intended;      /* in which term */
  byte release;       /* the certificate that is released; 0: none */
}
Records log[2];     /* what is committed by the node's write-ahead log */
Records visible[2]; /* what statements see: committed, and no longer waiting for the standby */
bool behind;        /* node 0 has written what the standby has not received */
bool failed_over;
#define SURVIVOR (failed_over -> 1 : 0)

#define SHARED 1
#define EXCLUSIVE 2
#define INTENT 1
#define RELEASE 2
#define TENANT 3

/* The transaction of each process, as its node knows it. */
typedef Transaction {
  bit node;
  byte lock;     /* the tenant's advisory lock; 0: not held */
  byte key;      /* what it writes: who would write the same waits for its end; 0: nothing */
  bool waits;    /* it is in the log */
  bool received; /* and its wait for the standby can end */
  bool lost;     /* the node was restarted meanwhile */
}
#define TRANSACTIONS 5
Transaction at[TRANSACTIONS];
#define ME at[_pid]

byte begun_issues, begun_promotions, faults;
byte promised;    /* the last epoch that an administrator was told of */
byte handed_over; /* the certificate that left; 0: none */

/* ---- Locks. ---- */
/* Who asks has none of it himself. */
#define HAS(i, this, n) (at[i].node == n && at[i].this)
#define SOMEBODY_HAS(this, n) \
  (HAS(0, this, n) || HAS(1, this, n) || HAS(2, this, n) || HAS(3, this, n) || HAS(4, this, n))

#ifdef NO_SHARED_LOCK
#define SHARED_IS_FREE(n) true
#else
#define SHARED_IS_FREE(n) (!SOMEBODY_HAS(lock == EXCLUSIVE, n))
#endif
#if defined(PROMOTION_WITHOUT_LOCK)
#define EXCLUSIVE_IS_FREE(n) true
#elif defined(LEASE_AND_SLOW_CLOCK)
/* By the clock of who promotes all leases have run out; by that of who holds one, it has not. */
#define EXCLUSIVE_IS_FREE(n) (!SOMEBODY_HAS(lock == EXCLUSIVE, n))
#else
#define EXCLUSIVE_IS_FREE(n) (!SOMEBODY_HAS(lock != 0, n))
#endif

/* Who has met the new primary does not go back to the old one; who has not may meet either. */
inline begin(can_begin_here, can_begin_there) {
  if
  :: can_begin_here
  :: failed_over && ME.node == 0 && can_begin_there -> ME.node = 1
  fi
}

/* BEGIN; SELECT pg_advisory_xact_lock_shared(...). */
inline lock_shared() {
  atomic { begin(SHARED_IS_FREE(ME.node), SHARED_IS_FREE(1)); ME.lock = SHARED }
}

/* Then, by a snapshot of its own, SELECT epoch, primary_root FROM tenants. */
inline read_tenant(fence_holds) {
  atomic {
    if
    :: ME.lost || !(fence_holds) -> goto over
    :: else
    fi
  }
}

inline lock_and_read(fence_holds) {
#ifdef LOCK_AND_READ_AT_ONCE
  /* The snapshot of a statement is older than a lock that this statement waits for. */
  atomic { begin(true, true) };
  read_tenant(fence_holds);
  atomic { SHARED_IS_FREE(ME.node) -> ME.lock = SHARED }
#else
  lock_shared();
  read_tenant(fence_holds)
#endif
}

/* ---- COMMIT. ---- */

/* Before it the replica may crash, or lose its connection: the node undoes all. */
inline or_crash() {
  if
  :: ME.lost -> goto over
  :: !ME.lost
  :: !ME.lost && faults < FAULTS -> faults++; goto over
  fi
}

/* It reaches the node. From here on it is the node's, whatever becomes of the replica. */
inline enter_log() {
  ME.waits = true;
#ifdef ASYNCHRONOUS_STANDBY
  ME.received = true;
#endif
  if
  :: ME.node == 1 -> ME.received = true
  :: else -> behind = true
  fi
}

/* Where all was refused because it is there already, COMMIT has nothing to wait for. So that it
 * waits for the standby all the same, the transaction writes a record of its own. */
inline commit_refusal() {
#ifdef REPEAT_WITHOUT_WRITE
  ME.waits = true;
  ME.received = true
#else
  enter_log()
#endif
}

#define WROTE(this, field) \
  visible[ME.node].field = (ME.key == this -> log[ME.node].field : visible[ME.node].field)

inline make_visible() {
  WROTE(INTENT, intent);
  WROTE(INTENT, intended);
  WROTE(RELEASE, release);
  WROTE(TENANT, term);
  WROTE(TENANT, primaries)
}

inline end_transaction() {
  ME.lock = 0;
  ME.key = 0;
  ME.waits = false;
  ME.received = false
}

/* The wait for the standby ends: what was written becomes visible, the locks go, the answer leaves.
 * A replica that does not hear it, because it has crashed or its deadline has closed the socket,
 * takes no step after this. */
inline end_commit() {
  if
  :: ME.received && !ME.lost -> make_visible()
  :: ME.lost -> goto over
  /* Or somebody ends it: visible all the same, and reported as committed, with a warning. So does
   * every wait of the old primary end at last, for a standby that is none any more. */
  :: !ME.received && !ME.lost && (failed_over || faults < FAULTS) ->
     if
     :: !failed_over -> faults++
     :: else
     fi;
     make_visible();
#ifndef CANCELLED_WAIT_IS_COMMIT
     goto over
#endif
#ifdef LOST_ANSWER_IS_COMMIT
  :: !ME.received && !ME.lost
#endif
  fi;
  end_transaction()
}

/* ---- A request in the hand of a replica: issuance/pipeline/pipeline.cc, and AppendToJournal of
 * issuance/store/journal_store.h with CheckIntent and CheckRelease of store_rules.h. ---- */
#ifdef FENCE_BY_ROOT_ALONE
#define FENCE_OF_INTENT (ROOT(visible[ME.node].term) == ROOT(term))
#define FENCE_OF_RELEASE FENCE_OF_INTENT
#else
#define FENCE_OF_INTENT (visible[ME.node].term == term)
#define FENCE_OF_RELEASE (EPOCH(visible[ME.node].term) == EPOCH(term))
#endif

/* FindByRequestId, in a transaction of its own. */
inline find(record, is_there) {
  begin(true, true);
  if
  :: !(is_there) -> goto over
  :: else -> certificate = record
  fi
}

/* Step 9. What leaves later leaves no otherwise: a fail-over looks again at what has left. */
inline hand_over() {
  hold(3, handed_over_unrecorded,
       log[SURVIVOR].release == certificate && log[SURVIVOR].intended == term);
  hold(4, second_certificate, handed_over == 0 || handed_over == certificate);
  hold(8, answered_of_old_epoch, EPOCH(term) >= seen);
  handed_over = certificate
}

active [ISSUES] proctype Issue() {
  byte term;        /* of the snapshot */
  byte certificate; /* in hand: its own with a serial number of its own, or the one on record */
  byte seen;        /* `promised`, when the release's COMMIT reached the database */
  bool again;       /* the write was refused: it is there already */

end:
  /* 4, 5: the snapshot and the certificate. The next step may be much later: so the snapshot may be
   * of any age. Which process goes first makes no difference. */
  atomic {
    begun_issues == _pid ->
    begun_issues++;
    certificate = _pid + 1;
    if
    :: term = visible[0].term
    :: failed_over -> term = visible[1].term; ME.node = 1
    fi
  }

  /* 6: write the intent. */
  lock_and_read(FENCE_OF_INTENT);
  atomic {
    ME.lost || !SOMEBODY_HAS(key == INTENT, ME.node) ->
    if
    :: ME.lost -> goto over
    :: !ME.lost && visible[ME.node].intent != 0 -> again = true
    :: else -> ME.key = INTENT
    fi
  }
  atomic {
    or_crash();
    if
    :: again -> commit_refusal()
    :: else ->
       log[ME.node].intent = certificate;
       log[ME.node].intended = term;
       hold(2, intended_after_successor, log[ME.node].term == term);
       enter_log()
    fi
  }
  atomic {
    end_commit();
    if
    :: again
    :: else -> goto sign
    fi
  }
  /* TakeUpRecordedIntent. */
  atomic {
    find(visible[ME.node].intent,
         visible[ME.node].intent != 0 && visible[ME.node].intended == term);
    again = false
  }

sign:
  /* 7: sign, unless it is released already; nobody sees that. 8: write the release. */
#if defined(RELEASE_WITHOUT_EPOCH)
  lock_shared();
#elif !defined(RELEASE_WITHOUT_FENCE)
  lock_and_read(FENCE_OF_RELEASE);
#endif
  atomic {
    ME.lost || !SOMEBODY_HAS(key == RELEASE, ME.node) ->
    if
    :: ME.lost -> goto over
    :: !ME.lost && (visible[ME.node].intent == 0 ||
                    EPOCH(visible[ME.node].intended) != EPOCH(term)) -> goto over
    :: else
    fi;
    if
    :: visible[ME.node].release != 0 -> again = true
    :: else -> ME.key = RELEASE
    fi
  }
  atomic {
    or_crash();
    seen = promised;
    if
    :: again -> commit_refusal()
    :: else ->
       log[ME.node].release = certificate;
       hold(1, released_after_successor, EPOCH(log[ME.node].term) == EPOCH(term));
       hold(5, recorded_otherwise, log[ME.node].intent == certificate);
       enter_log()
    fi
  }
  atomic {
    end_commit();
    if
    :: again
    :: else -> hand_over(); goto over
    fi
  }
  /* Released before: what the journal holds is the certificate. */
  atomic {
    find(visible[ME.node].release, visible[ME.node].release != 0);
    hand_over()
  }

over:
  atomic {
    end_transaction();
    ME.lost = false;
    ME.node = 0;
    term = 0;
    certificate = 0;
    seen = 0;
    again = false
  }
}

/* ---- A promotion or a rollback: ChangeRootStates of issuance/store/tenant_store.h. ---- */
active [PROMOTIONS] proctype Promotion() {
  byte term;        /* by which it was decided; then the one that it makes */

end:
  /* Which root is primary, and the revision. */
  atomic {
    begun_promotions == _pid - ISSUES ->
    begun_promotions++;
    if
    :: term = visible[0].term
    :: failed_over -> term = visible[1].term; ME.node = 1
    fi
  }

  /* BEGIN; SELECT pg_advisory_xact_lock(...). */
  atomic { begin(EXCLUSIVE_IS_FREE(ME.node), EXCLUSIVE_IS_FREE(1)); ME.lock = EXCLUSIVE }
  /* SELECT ... FROM tenants ... FOR UPDATE: waits for the row, and sees the newest of it. */
  atomic {
    ME.lost || !SOMEBODY_HAS(key == TENANT, ME.node) ->
    if
    :: ME.lost -> goto over
#ifndef PROMOTION_WITHOUT_REVISION
    :: !ME.lost && visible[ME.node].term != term -> goto over
#endif
    :: else -> ME.key = TENANT
    fi
  }
  /* UPDATE roots ...; UPDATE tenants ...; COMMIT. */
  atomic {
    or_crash();
    log[ME.node].primaries = log[ME.node].primaries & ~(1 << ROOT(term));
    if
    :: term = TERM(EPOCH(log[ME.node].term) + 1, _pid - ISSUES + 1)
    :: ROOT(term) != 0 -> term = TERM(EPOCH(log[ME.node].term) + 1, 0)
    fi;
    log[ME.node].term = term;
    log[ME.node].primaries = log[ME.node].primaries | (1 << ROOT(term));
    hold(6, not_one_primary, log[ME.node].primaries == (1 << ROOT(term)));
    enter_log()
  }
  /* The administrator is told. */
  atomic {
    end_commit();
    hold(7, promotion_lost, EPOCH(log[SURVIVOR].term) >= EPOCH(term));
    if
    :: EPOCH(term) > promised -> promised = EPOCH(term)
    :: else
    fi
  }

over:
  atomic {
    end_transaction();
    ME.lost = false;
    ME.node = 0;
    term = 0
  }
}

/* ---- The network and the machines. ---- */
inline copy(to, from) {
  to.term = from.term;
  to.primaries = from.primaries;
  to.intent = from.intent;
  to.intended = from.intended;
  to.release = from.release
}

active proctype World() {
  byte i;

end:
  do
  /* The standby receives what is in the log so far. Since it may do so after every step, it may
   * have any part of the log. */
  :: d_step {
       behind && !failed_over ->
       behind = false;
       copy(log[1], log[0]);
       for (i : 0 .. TRANSACTIONS - 1) {
         at[i].received = (at[i].received || at[i].waits)
       }
       i = 0
     }
  /* The standby takes over: what it has is committed, what it has not is lost, and so are locks and
   * open transactions. */
  :: d_step {
       FAILOVERS == 1 && !failed_over ->
       failed_over = true;
       behind = false;
       copy(visible[1], log[1]);
       hold(7, promotion_lost, EPOCH(log[1].term) >= promised);
       hold(3, handed_over_unrecorded, handed_over == 0 || handed_over == log[1].release)
     }
  /* Node 0 crashes and starts again, as what it was: what its log has is visible, whether the
   * standby has it or not. */
  :: d_step {
       faults < FAULTS ->
       faults++;
       copy(visible[0], log[0]);
       for (i : 0 .. TRANSACTIONS - 1) {
         if
         :: at[i].node == 0 && (at[i].lock != 0 || at[i].key != 0 || at[i].waits) ->
            at[i].lost = true;
            at[i].lock = 0;
            at[i].key = 0;
            at[i].waits = false;
            at[i].received = false
         :: else
         fi
       }
       i = 0
     }
  od
}
