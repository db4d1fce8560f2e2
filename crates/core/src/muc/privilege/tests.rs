use super::Affiliation::{Admin, Member, Outcast, Owner};
use super::Refusal::{Conflict, Forbidden, NotAllowed};
use super::Role::{Moderator, Participant, Visitor};
use super::*;

fn standings() -> impl Iterator<Item = Standing> {
    let all = Affiliation::ALL.into_iter();
    all.flat_map(|affiliation| Role::ALL.into_iter().map(move |role| Standing { affiliation, role }))
}

#[test]
fn names_are_read_as_they_are_written() {
    for affiliation in Affiliation::ALL {
        assert_eq!(Affiliation::from_name(affiliation.name()), Some(affiliation));
    }
    for role in Role::ALL {
        assert_eq!(Role::from_name(role.name()), Some(role));
    }
    for wrong in ["", "Owner", " owner", "god"] {
        assert_eq!((Affiliation::from_name(wrong), Role::from_name(wrong)), (None, None));
    }
}

/// §5.1.2 (table 3) and §5.2.1 (table 4, the first rows).
#[test]
fn who_enters_and_as_what() {
    let table = [
        //          open   members-only  moderated    else
        (Outcast, false, false, Role::None, Role::None),
        (Affiliation::None, true, false, Visitor, Participant),
        (Member, true, true, Participant, Participant),
        (Admin, true, true, Moderator, Moderator),
        (Owner, true, true, Moderator, Moderator),
    ];
    for (affiliation, open, members_only, moderated, unmoderated) in table {
        assert_eq!(affiliation.may_enter(false), open, "{affiliation:?}");
        assert_eq!(affiliation.may_enter(true), members_only, "{affiliation:?}");
        assert_eq!(affiliation.default_role(true), moderated, "{affiliation:?}");
        assert_eq!(affiliation.default_role(false), unmoderated, "{affiliation:?}");
    }
}

/// §5.2.2: the whole chart: who may make whom what.
#[test]
fn changes_of_another_ones_affiliation() {
    const OK: Result<(), Refusal> = Ok(());
    let (no, over) = (Err(Forbidden), Err(NotAllowed));
    // Rows: the target now, from outcast to owner; columns: what it is to be, likewise.
    let by_admin = [
        [OK, OK, OK, no, no],
        [OK, OK, OK, no, no],
        [OK, OK, OK, no, no],
        [over, over, over, no, no],
        [over, over, over, no, no],
    ];
    for actor in Affiliation::ALL {
        for (target, row) in Affiliation::ALL.into_iter().zip(by_admin) {
            for (to, admin) in Affiliation::ALL.into_iter().zip(row) {
                let expected = match actor {
                    Owner => OK,
                    Admin => admin,
                    _ => no,
                };
                let seen = may_set_affiliation(actor, target, to, false);
                assert_eq!(seen, expected, "{actor:?} makes {target:?} {to:?}");
            }
        }
    }
}

#[test]
fn changes_of_ones_own_affiliation() {
    for own in Affiliation::ALL {
        for to in Affiliation::ALL {
            let expected = match (own, to) {
                (Owner | Admin, Outcast) => Err(Conflict),
                (Owner, _) => Ok(()),
                (Admin | Member, to) if to != Outcast && to <= own => Ok(()),
                _ => Err(Forbidden),
            };
            assert_eq!(may_set_affiliation(own, own, to, true), expected, "{own:?} becomes {to:?}");
        }
    }
}

/// §5.1.1 and §8, §9: what must hold of every change of every role.
#[test]
fn changes_of_roles() {
    for actor in standings() {
        for target in standings() {
            for to in Role::ALL {
                let may = may_set_role(actor, target, to);
                let what = format!("{actor:?} makes {target:?} {to:?}: {may:?}");
                if !actor.moderates() {
                    assert_eq!(may, Err(Forbidden), "{what}");
                    continue;
                }
                if to == target.role {
                    assert_eq!(may, Ok(()), "{what}");
                    continue;
                }
                let by_admin = actor.affiliation >= Admin;
                let expected = match to {
                    Role::None => actor.affiliation >= target.affiliation,
                    Moderator => by_admin,
                    _ if target.affiliation >= Admin => false,
                    _ if target.role == Moderator && !by_admin => false,
                    Participant => true,
                    Visitor => {
                        target.affiliation <= Affiliation::None || target.affiliation < actor.affiliation
                    }
                };
                assert_eq!(may.is_ok(), expected, "{what}");
                // The right over some, but not over this one, has another name than no right at all.
                if target.affiliation >= Admin && to != Moderator && may.is_err() {
                    assert_eq!(may, Err(NotAllowed), "{what}");
                }
            }
        }
    }
}

#[test]
fn examples_of_the_standard() {
    let moderator = Standing { affiliation: Affiliation::None, role: Moderator };
    let admin = Standing { affiliation: Admin, role: Moderator };
    let guest = Standing { affiliation: Affiliation::None, role: Participant };
    // §8.2: kicked by a moderator, not by a participant; a mere moderator kicks no admin.
    assert_eq!(may_set_role(moderator, guest, Role::None), Ok(()));
    assert_eq!(may_set_role(guest, moderator, Role::None), Err(Forbidden));
    assert_eq!(may_set_role(moderator, admin, Role::None), Err(NotAllowed));
    // §8.3, §8.4
    assert_eq!(may_set_role(moderator, guest, Visitor), Ok(()));
    assert_eq!(may_set_role(admin, admin, Visitor), Err(NotAllowed));
    // §9.6, §9.7
    assert_eq!(may_set_role(moderator, guest, Moderator), Err(Forbidden));
    assert_eq!(may_set_role(admin, guest, Moderator), Ok(()));
    assert_eq!(may_set_role(admin, moderator, Participant), Ok(()));
    assert_eq!(may_set_role(moderator, moderator, Participant), Err(Forbidden));
}

#[test]
fn a_role_follows_the_affiliation() {
    for before in Affiliation::ALL {
        for after in Affiliation::ALL {
            for role in [Visitor, Participant, Moderator] {
                for (members_only, moderated) in [(false, false), (false, true), (true, false), (true, true)]
                {
                    let new = after.role_after(before, role, members_only, moderated);
                    let what = format!("{before:?} {role:?} becomes {after:?}: {new:?}");
                    assert_eq!(new.is_present(), after.may_enter(members_only), "{what}");
                    if !new.is_present() {
                        continue;
                    } else if after == before {
                        assert_eq!(new, role, "{what}");
                    } else if after >= Admin {
                        assert_eq!(new, Moderator, "{what}");
                    } else if after > before {
                        assert_eq!(new, role.max(after.default_role(moderated)), "{what}");
                    } else {
                        assert!(new <= role, "{what}");
                    }
                }
            }
        }
    }
    let after = |to: Affiliation, from, role| to.role_after(from, role, false, true);
    assert_eq!(after(Member, Owner, Moderator), Participant, "what ownership brought goes with it");
    assert_eq!(after(Affiliation::None, Member, Moderator), Moderator, "what was given stays");
    assert_eq!(after(Affiliation::None, Member, Participant), Visitor);
}

#[test]
fn who_reads_which_list() {
    let any = [Visitor, Participant, Moderator];
    for asker in standings() {
        for list in Affiliation::ALL {
            let staff = asker.affiliation >= Admin;
            let open = may_read_affiliations(asker, list, &any, false);
            let here = asker.role.is_present() || asker.affiliation >= Member;
            assert_eq!(open, staff || (here && list >= Member), "{asker:?} {list:?}");
            let hidden = may_read_affiliations(asker, list, &any, true);
            assert_eq!(hidden, staff || (asker.role == Moderator && list >= Member), "{asker:?} {list:?}");
            assert_eq!(may_read_affiliations(asker, list, &[], false), staff, "{asker:?} {list:?}");
        }
        for list in Role::ALL {
            let expected = asker.affiliation >= Admin || (asker.role == Moderator && list != Moderator);
            assert_eq!(may_read_roles(asker, list), expected, "{asker:?} {list:?}");
        }
    }
}
