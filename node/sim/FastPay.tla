------------------------------ MODULE FastPay ------------------------------
(* The protocol as this project runs it, for readers: what an authority does with orders, certificates and credits, and    *)
(* what a crash may take back. The names S1 to S10 are those of the package comment. Authorities are split into shards;     *)
(* within one the two halves of a payment are one step, between two the credit travels.                                     *)
EXTENDS Integers, FiniteSets

CONSTANTS
    Authorities,    \* all members, each of weight 1; the code counts weights instead of members
    Byzantine,      \* those that are not correct
    Accounts,       \* owners; some sign what they like
    Correct,        \* owners who sign one order for each number
    Shard,          \* Shard[a]: the shard of account a
    Initial,        \* Initial[a]: the balance that a begins with
    Amounts,        \* amounts that are paid
    MaxNumber       \* bound of sequence numbers, for checking

ASSUME /\ Byzantine \subseteq Authorities /\ Correct \subseteq Accounts
       /\ 3 * Cardinality(Byzantine) < Cardinality(Authorities)

Honest  == Authorities \ Byzantine
Quorum  == {q \in SUBSET Authorities : 3 * Cardinality(q) > 2 * Cardinality(Authorities)}
Order   == [from : Accounts, to : Accounts, amount : Amounts, number : 0..MaxNumber]
None    == [from |-> "none"]

\* The state of an authority, and its copy on the disk: a step changes the first, a sync copies it to the second, and a
\* crash copies it back. What leaves an authority (votes, credits) is taken from the second alone.
State   == [next    : [Accounts -> 0..(MaxNumber + 1)],
            balance : [Accounts -> Int],
            pending : [Accounts -> Order \union {None}],
            settled : SUBSET Order,       \* certificates that were debited
            credited : SUBSET Order]      \* of these, those that were credited: the cursor of their link

VARIABLES
    signed,     \* orders that their owners signed
    memory,     \* memory[h] for h in Honest
    disk,       \* disk[h]
    votes,      \* votes that were ever shown: <<authority, order>>
    credits     \* credits[h]: orders whose credit has left its shard; they stay, as messages may repeat

vars == <<signed, memory, disk, votes, credits>>

Empty == [next |-> [a \in Accounts |-> 0], balance |-> Initial, pending |-> [a \in Accounts |-> None],
          settled |-> {}, credited |-> {}]

Init == /\ signed = {} /\ votes = {}
        /\ memory = [h \in Honest |-> Empty] /\ disk = [h \in Honest |-> Empty]
        /\ credits = [h \in Honest |-> {}]

Certified(o) == \E q \in Quorum : \A a \in q : <<a, o>> \in votes

----------------------------------------------------------------------------
\* Owners. A correct one never signs two orders for one number: the order is in his wallet before it is sent.
Sign(o) ==
    /\ o.from \in Correct =>
         /\ \A p \in signed : p.from = o.from => p.number < o.number
         /\ \A p \in signed : p.from = o.from => Certified(p)
    /\ signed' = signed \union {o}
    /\ UNCHANGED <<memory, disk, votes, credits>>

\* A transfer order reaches an honest authority: at most one is pending, of the next number, and covered by the balance.
TakeOrder(h, o) ==
    LET m == memory[h] IN
    /\ o \in signed
    /\ m.pending[o.from] = None
    /\ o.number = m.next[o.from]
    /\ o.amount > 0 /\ m.balance[o.from] >= o.amount
    /\ memory' = [memory EXCEPT ![h].pending[o.from] = o]
    /\ UNCHANGED <<signed, disk, votes, credits>>

\* Its vote leaves when the record of the order is durable. It may be shown again at any time: that changes nothing (S7).
ShowVote(h, a) ==
    LET o == disk[h].pending[a] IN
    /\ o # None
    /\ votes' = votes \union {<<h, o>>}
    /\ UNCHANGED <<signed, memory, disk, credits>>

\* A Byzantine member votes for anything that an owner signed, and for several orders of one number.
ByzantineVote(b, o) ==
    /\ o \in signed
    /\ votes' = votes \union {<<b, o>>}
    /\ UNCHANGED <<signed, memory, disk, credits>>

\* A certificate reaches an honest authority, whoever brings it. The balance may become negative: what funded the payment
\* may still be on its way here. What is pending is dropped, whether it is this order or another one.
Settle(h, o) ==
    LET m == memory[h]
        local == Shard[o.from] = Shard[o.to]
        debited == [m.balance EXCEPT ![o.from] = @ - o.amount]
    IN
    /\ Certified(o)
    /\ o.number = m.next[o.from]
    /\ memory' = [memory EXCEPT ![h] =
         [next     |-> [m.next EXCEPT ![o.from] = @ + 1],
          balance  |-> IF local THEN [debited EXCEPT ![o.to] = @ + o.amount] ELSE debited,
          pending  |-> [m.pending EXCEPT ![o.from] = None],
          settled  |-> m.settled \union {o},
          credited |-> IF local THEN m.credited \union {o} ELSE m.credited]]
    /\ UNCHANGED <<signed, disk, votes, credits>>

\* A credit leaves its shard only when its debit is durable.
SendCredit(h, o) ==
    /\ o \in disk[h].settled /\ Shard[o.from] # Shard[o.to]
    /\ credits' = [credits EXCEPT ![h] = @ \union {o}]
    /\ UNCHANGED <<signed, memory, disk, votes>>

\* It arrives, perhaps once more; its number tells that it has been here.
TakeCredit(h, o) ==
    /\ o \in credits[h] /\ o \notin memory[h].credited
    /\ memory' = [memory EXCEPT ![h].balance[o.to] = @ + o.amount, ![h].credited = @ \union {o}]
    /\ UNCHANGED <<signed, disk, votes, credits>>

Sync(h)  == /\ disk' = [disk EXCEPT ![h] = memory[h]]
            /\ UNCHANGED <<signed, memory, votes, credits>>

Crash(h) == /\ memory' = [memory EXCEPT ![h] = disk[h]]
            /\ UNCHANGED <<signed, disk, votes, credits>>

Next ==
    \/ \E o \in Order : Sign(o)
    \/ \E h \in Honest, o \in Order : TakeOrder(h, o) \/ Settle(h, o) \/ SendCredit(h, o) \/ TakeCredit(h, o)
    \/ \E h \in Honest, a \in Accounts : ShowVote(h, a)
    \/ \E b \in Byzantine, o \in Order : ByzantineVote(b, o)
    \/ \E h \in Honest : Sync(h) \/ Crash(h)

Spec == Init /\ [][Next]_vars

----------------------------------------------------------------------------
SamePlace(o, p) == o.from = p.from /\ o.number = p.number

S1 == \A o, p \in Order : Certified(o) /\ Certified(p) /\ SamePlace(o, p) => o = p
S2 == \A h \in Honest, o, p \in Order : {<<h, o>>, <<h, p>>} \subseteq votes /\ SamePlace(o, p) => o = p
S3 == \A h \in Honest : \A o \in memory[h].settled : Certified(o)

Sum(f, s) == LET RECURSIVE Add(_)
                 Add(t) == IF t = {} THEN 0 ELSE LET x == CHOOSE x \in t : TRUE IN f[x] + Add(t \ {x})
             IN Add(s)
Amount == [o \in Order |-> o.amount]

\* What the accounts of an authority have, and what is between its shards, is what there was at the beginning.
S4 == \A h \in Honest :
        Sum(memory[h].balance, Accounts) + Sum(Amount, memory[h].settled \ memory[h].credited) = Sum(Initial, Accounts)

\* Where everything that exists has arrived, no balance is negative.
Complete(h) == /\ \A o \in Order : Certified(o) => o \in memory[h].settled
               /\ memory[h].settled = memory[h].credited
S5 == \A h \in Honest : Complete(h) => \A a \in Accounts : memory[h].balance[a] >= 0

\* A credit is taken at most once, because TakeCredit asks for it not to be there, and never without its debit.
S6 == \A h \in Honest : memory[h].credited \subseteq memory[h].settled \union disk[h].settled

\* S7 is that no step but these changes anything: an order that is pending, a certificate below next and a credit that was
\* taken enable none.

\* What was shown is remembered: a vote is still pending on the disk, or its number is used.
S8 == \A h \in Honest, o \in Order :
        <<h, o>> \in votes => disk[h].pending[o.from] = o \/ disk[h].next[o.from] > o.number

S9 == \A h \in Honest : \A o \in memory[h].settled : o \in signed

\* Where everything has arrived, in whatever order, all have the same.
S10 == \A g, h \in Honest : Complete(g) /\ Complete(h) =>
         memory[g].balance = memory[h].balance /\ memory[g].next = memory[h].next
=============================================================================
