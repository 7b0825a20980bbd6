//! The rules of `erl_ddll`, as a real Erlang follows them.
#![forbid(unsafe_code)]

use super::*;

const ME: Pid = Pid::from_number(1);
const OTHER: Pid = Pid::from_number(2);
const RELOAD: TryLoad = TryLoad {
    options: LoadOptions { kill_ports: false },
    monitor: Some(Pending::Driver),
    reload: Some(Pending::Driver),
};

fn loaded() -> Registry<u32> {
    let mut registry = Registry::new();
    let plan = registry.try_load(ME, "dir/".as_ref(), "d", TryLoad::default());
    assert_eq!(plan.result, Ok(Plan::Load));
    registry.insert(Some(ME), "dir/".as_ref(), "d", LoadOptions::default(), 7);
    registry
}

fn load(registry: &mut Registry<u32>, pid: Pid, how: TryLoad) -> Result<Plan, Refusal> {
    registry.try_load(pid, "dir".as_ref(), "d", how).result
}

fn unload(registry: &mut Registry<u32>, pid: Pid) -> Result<Outcome, Refusal> {
    registry.try_unload(pid, "d", TryUnload::default()).result
}

fn item(registry: &Registry<u32>, item: &str) -> String {
    let items = registry.info("d").expect("it is loaded");
    items
        .iter()
        .find(|(name, _)| *name == item)
        .expect("an item")
        .1
        .to_string()
}

/// `DOWN unloaded` and so on, in order.
fn said(notices: &[Notice]) -> Vec<String> {
    let word = |term: &Term| term.to_string().trim_matches('\'').to_owned();
    let pair = |notice: &Notice| {
        let tuple = notice.message.as_tuple().expect("a tuple");
        format!("{} {}", word(&tuple[0]), word(&tuple[4]))
    };
    notices.iter().map(pair).collect()
}

#[test]
fn loads_are_counted_by_process() {
    let mut registry = loaded();
    let again = Ok(Plan::Done(Outcome::AlreadyLoaded));
    assert_eq!(load(&mut registry, ME, TryLoad::default()), again);
    assert_eq!(load(&mut registry, OTHER, TryLoad::default()), again);
    assert_eq!(item(&registry, "processes"), "[{<0.1.0>,2},{<0.2.0>,1}]");
    assert_eq!(unload(&mut registry, ME), Ok(Outcome::PendingProcess(None)));
    assert_eq!(unload(&mut registry, ME), Ok(Outcome::PendingProcess(None)));
    assert_eq!(unload(&mut registry, ME), Err("not_loaded_by_this_process"));
    assert!(registry.due().is_empty());
    assert_eq!(
        unload(&mut registry, OTHER),
        Ok(Outcome::PendingDriver(None))
    );
    assert_eq!(registry.due().len(), 1);
    registry.unloaded("d");
    assert_eq!(unload(&mut registry, ME), Err("not_loaded"));
}

#[test]
fn a_dying_process_loses_all_its_loads() {
    let mut registry = loaded();
    load(&mut registry, ME, TryLoad::default()).expect("loaded");
    assert!(registry.process_exited(OTHER).result.is_empty());
    assert!(registry.due().is_empty());
    registry.process_exited(ME);
    assert_eq!(registry.due().len(), 1);
}

/// A port that is gone, with jobs under way.
fn pin(registry: &mut Registry<u32>) {
    assert_eq!(registry.open_port("d"), Some(7));
    registry.port_to_pin("d");
}

#[test]
fn ports_and_jobs_keep_a_driver() {
    let mut registry = loaded();
    assert_eq!(registry.open_port("d"), Some(7));
    pin(&mut registry);
    unload(&mut registry, ME).expect("unloading");
    assert!(registry.due().is_empty());
    assert_eq!(
        registry.open_port("d"),
        Some(7),
        "new ports may still be opened"
    );
    assert!(!registry.close_port("d"));
    assert!(!registry.close_port("d"));
    assert!(registry.unpin("d"));
    let due = registry.due();
    assert_eq!(
        (due.len(), due[0].driver, due[0].reload.is_some()),
        (1, 7, false)
    );
    assert_eq!(registry.open_port("d"), None, "its library is being closed");
}

#[test]
fn a_new_load_calls_the_unload_off() {
    let mut registry = loaded();
    registry.open_port("d");
    let monitor = TryUnload {
        monitor: Some(Pending::Driver),
        kill_ports: false,
    };
    let answer = registry.try_unload(ME, "d", monitor);
    assert!(matches!(answer.result, Ok(Outcome::PendingDriver(Some(_)))));
    registry.monitor(ME, "d", &Term::charlist("d"), Event::UnloadedOnly);
    registry.monitor(OTHER, "d", &Term::charlist("d"), Event::Unloaded);
    assert_eq!(
        item(&registry, "awaiting_unload"),
        "[{<0.1.0>,2},{<0.2.0>,1}]"
    );
    let (_, notice) = registry.monitor(ME, "d", &Term::charlist("d"), Event::Loaded);
    assert_eq!(said(&[notice.expect("at once")]), ["DOWN load_cancelled"]);
    let answer = registry.try_load(OTHER, "dir".as_ref(), "d", TryLoad::default());
    assert_eq!(answer.result, Ok(Plan::Done(Outcome::AlreadyLoaded)));
    assert_eq!(
        said(&answer.notices),
        ["UP unload_cancelled", "UP unload_cancelled"]
    );
    assert_eq!(answer.notices[0].to, OTHER, "the newest is told first");
    registry.close_port("d");
    assert!(registry.due().is_empty());
    unload(&mut registry, OTHER).expect("unloading");
    registry.due();
    assert_eq!(said(&registry.unloaded("d")), ["DOWN unloaded"]);
}

#[test]
fn killing_ports_closes_the_door() {
    let mut registry = loaded();
    registry.open_port("d");
    let kill = TryUnload {
        monitor: None,
        kill_ports: true,
    };
    assert!(registry.try_unload(ME, "d", kill).kill);
    assert_eq!(registry.open_port("d"), None);
    let result = load(&mut registry, OTHER, TryLoad::default());
    assert_eq!(result, Ok(Plan::Done(Outcome::AlreadyLoaded)));
    assert_eq!(registry.open_port("d"), Some(7), "a load calls it off");
}

#[test]
fn there_is_no_killing_without_ports() {
    let mut registry = loaded();
    pin(&mut registry);
    let kill = TryUnload {
        monitor: None,
        kill_ports: true,
    };
    assert!(!registry.try_unload(ME, "d", kill).kill);
    assert_eq!(registry.open_port("d"), Some(7));
    assert!(registry.try_unload(OTHER, "d", kill).kill);
    assert_eq!(registry.open_port("d"), None);
}

#[test]
fn a_user_may_go_while_the_driver_is_loaded_anew() {
    let mut registry = loaded();
    load(&mut registry, ME, RELOAD).expect("pending");
    assert_eq!(registry.due()[0].reload.as_deref(), Some("dir".as_ref()));
    registry.unloaded("d");
    assert!(registry.is_between("d"));
    unload(&mut registry, ME).expect("the last one goes");
    registry.reloaded("d", Ok(8));
    assert!(registry.is_any_due(), "nobody wants it any more");
    assert_eq!(registry.due()[0].driver, 8);
}

#[test]
fn a_reload_may_come_from_another_folder() {
    let mut registry = loaded();
    let answer = registry.try_load(ME, "new//".as_ref(), "d", RELOAD);
    assert!(answer.result.is_ok());
    assert_eq!(registry.due()[0].reload.as_deref(), Some("new".as_ref()));
    let again = registry.try_load(ME, "dir".as_ref(), "d", TryLoad::default());
    assert_eq!(again.result, Err("inconsistent"));
}

#[test]
fn a_reload_waits_for_ports_and_refuses_to_disturb_others() {
    let mut registry = loaded();
    load(&mut registry, OTHER, TryLoad::default()).expect("loaded");
    assert_eq!(load(&mut registry, ME, RELOAD), Err("pending_process"));
    unload(&mut registry, OTHER).expect("one less");
    assert_eq!(load(&mut registry, OTHER, RELOAD), Err("pending_process"));
    registry.open_port("d");
    let result = load(&mut registry, ME, RELOAD);
    assert!(matches!(
        result,
        Ok(Plan::Done(Outcome::PendingDriver(Some(_))))
    ));
    assert_eq!(load(&mut registry, ME, RELOAD), Err("pending_reload"));
    assert_eq!(registry.open_port("d"), Some(7), "the old one works on");
    registry.close_port("d");
    assert!(registry.due().is_empty());
    assert!(registry.close_port("d"));
    assert_eq!(registry.due().len(), 1);
    registry.unloaded("d");
    let told = registry.reloaded("d", Err(Term::atom("driver_init_failed")));
    assert_eq!(said(&told), ["DOWN {load_failure,driver_init_failed}"]);
    assert!(registry.info("d").is_none());
}

#[test]
fn identity_is_the_text_of_the_folder_and_the_options() {
    let mut registry = loaded();
    let other_folder = registry.try_load(ME, "./dir".as_ref(), "d", TryLoad::default());
    assert_eq!(other_folder.result, Err("inconsistent"));
    let kill = TryLoad {
        options: LoadOptions { kill_ports: true },
        ..TryLoad::default()
    };
    assert_eq!(load(&mut registry, ME, kill), Err("inconsistent"));
}

#[test]
fn permanent_and_static_drivers_stay() {
    let mut registry = loaded();
    registry.monitor(ME, "d", &Term::Nil, Event::Unloaded);
    let (done, told) = registry.make_permanent("d");
    assert!(done);
    assert_eq!(said(&told), ["UP permanent"]);
    assert_eq!(unload(&mut registry, ME), Err("permanent"));
    assert_eq!(
        load(&mut registry, ME, TryLoad::default()),
        Err("permanent")
    );
    assert_eq!(item(&registry, "processes"), "permanent");
    registry.process_exited(ME);
    assert!(registry.due().is_empty());
    registry.insert(None, "".as_ref(), "s", LoadOptions::default(), 9);
    assert_eq!(
        registry.try_unload(ME, "s", TryUnload::default()).result,
        Err("linked_in_driver")
    );
    assert_eq!(registry.remove_static(|d| *d == 7), Err(()));
    assert_eq!(registry.remove_static(|d| *d == 8), Ok(None));
    assert_eq!(registry.remove_static(|d| *d == 9), Ok(Some(9)));
}

#[test]
fn monitors_of_what_is_not_there_answer_at_once() {
    let mut registry = loaded();
    let given = Term::charlist("none");
    let (_, notice) = registry.monitor(ME, "none", &given, Event::Loaded);
    let message = notice.expect("at once").message;
    assert_eq!(message.as_tuple().map(|t| t[3].clone()), Some(given));
    let (reference, notice) = registry.monitor(ME, "d", &Term::Nil, Event::Unloaded);
    assert!(notice.is_none());
    registry.demonitor(ME, reference);
    unload(&mut registry, ME).expect("unloading");
    registry.due();
    assert!(registry.unloaded("d").is_empty());
}
