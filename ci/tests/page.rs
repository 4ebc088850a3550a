//! The page in a real Chromium: what one clicks, what one sees, and how long it takes.
//!
//! `ci/check --page` runs it. It wants `chromium` and `chromedriver`, and is skipped where there is none.

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;
#[path = "common/refused.rs"]
mod refused;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{a_history, call, file_of, fresh, histories, run_in};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use refused::refuse;
use serde_json::{Value, json};

const HOSTILE: &str = "</script><script>document.title='broken'</script>\"'\u{1b}[31m";
const SHOWN: &str = "</script><script>document.title='broken'</script>\"'\\u{1b}[31m";

/// A driver of browsers, which ends with its test.
struct Driver {
    child: Child,
    address: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Driver {
    /// A driver on a port that is free; `None` where this machine has none.
    fn start() -> Option<Self> {
        let mut driver = Command::new("chromedriver");
        driver.arg("--port=0");
        let child = driver.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no chromedriver (Debian: chromium-driver)");
            return None;
        };
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = |line: String| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        };
        let port = lines.map_while(Result::ok).find_map(port);
        let address = format!("http://127.0.0.1:{}", port.expect("it says its port"));
        Some(Self { child, address })
    }

    /// A browser, as wide as it is made or as a phone.
    async fn browser(&self, more: Value) -> Browser {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--window-size=1280,1000",
        ];
        let mut options = json!({ "args": arguments });
        for (name, value) in more.as_object().expect("options") {
            options[name] = value.clone();
        }
        let capabilities = [("goog:chromeOptions".to_owned(), options)];
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.into_iter().collect());
        let client = builder.connect(&self.address).await;
        Browser(client.expect("a browser starts"))
    }
}

struct Browser(Client);

impl Browser {
    async fn open(&self, page: &Path) {
        let address = format!("file://{}", page.display());
        self.0.goto(&address).await.expect("it opens");
    }

    async fn run(&self, script: &str) -> Value {
        self.0.execute(script, Vec::new()).await.expect(script)
    }

    async fn click(&self, selector: &str) {
        let found = self.0.find(Locator::Css(selector)).await.expect(selector);
        found.click().await.expect(selector);
    }

    /// What is seen of an element.
    async fn text(&self, selector: &str) -> String {
        let found = self.0.find(Locator::Css(selector)).await.expect(selector);
        found.text().await.expect(selector)
    }

    async fn number(&self, script: &str) -> f64 {
        self.run(script).await.as_f64().expect(script)
    }
}

/// What is tested with a browser, which is closed then.
fn with_browser(more: Value, test: impl AsyncFnOnce(&Browser)) {
    let Some(driver) = Driver::start() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("there is one").block_on(async {
        let browser = driver.browser(more).await;
        test(&browser).await;
        browser.0.close().await.expect("it closes");
    });
}

/// A run in which the first case of its histories was refused, in hostile words that are in its evidence
/// as well; and the name of the case.
fn with_a_failure(dir: &Path) -> String {
    let made = run_in(dir, &["-E", "!state(paused)"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let history = a_history(dir);
    refuse(&history, &format!("no {HOSTILE}"));
    let stem = history
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let evidence = dir.join("out/evidence").join(&stem);
    fs::create_dir_all(&evidence).expect("there is room");
    for (name, text) in [
        (
            "source-domain.xml",
            format!("<domain>\n<a>{HOSTILE}</a>\n</domain>\n"),
        ),
        (
            "destination-domain.xml",
            "<domain>\n<b/>\n</domain>\n".to_owned(),
        ),
        (
            "destination-libvirtd.log",
            format!("1: error : no {HOSTILE}\n"),
        ),
    ] {
        fs::write(evidence.join(name), text).expect("there is room");
    }
    assert_eq!(call(dir, &["judge", "out"]).code, 1);
    stem.replace('~', "/")
}

#[test]
#[ignore = "needs a browser: ci/check --page"]
fn one_clicks_a_cell_sees_why_filters_and_finds_the_same_by_the_address() {
    let dir = fresh();
    let case = with_a_failure(dir.path());
    let page = dir.path().join("out/index.html");
    with_browser(json!({}), async |browser| {
        browser.open(&page).await;
        assert!(browser.text(".go").await.contains("Not as expected"));
        browser.click(".cell.failed a").await;
        assert!(
            browser.text("#list .row").await.contains(&case),
            "the worst is first"
        );
        browser.click("#list .row").await;
        let panel = browser.text(".panel").await;
        assert!(panel.contains(&format!("no {SHOWN}")), "{panel}");
        assert!(panel.contains("Timeline"), "{panel}");
        assert!(
            browser
                .number(
                    "return document.querySelector('.panel svg').getBoundingClientRect().height"
                )
                .await
                > 200.0
        );
        browser
            .run("document.querySelectorAll('.panel details').forEach(one => { one.open = true })")
            .await;
        let panel = browser.text(".panel").await;
        assert!(panel.contains(&format!("− <a>{SHOWN}</a>")), "{panel}");
        assert!(
            panel.contains(&format!("▸ 1: error : no {SHOWN}")),
            "{panel}"
        );

        browser.click("input[name=standing][value=failed]").await;
        let shown = browser.text("#shown").await;
        assert!(shown.starts_with("1 of "), "{shown}");
        let all = "return [document.querySelector('#shown').textContent, document.querySelector('#chosen').textContent, document.querySelector('.panel').textContent].join()";
        let before = browser.run(all).await;
        let address = browser.0.current_url().await.expect("it has one");
        browser.0.goto("about:blank").await.expect("it opens");
        browser.0.goto(address.as_str()).await.expect("it opens");
        assert_eq!(browser.run(all).await, before);
        browser.0.refresh().await.expect("it opens");
        assert_eq!(browser.run(all).await, before);
        assert_eq!(browser.run("return document.title").await, "Migratrix");
        assert_eq!(browser.number("return document.scripts.length").await, 2.0);
    });
}

#[test]
#[ignore = "needs a browser: ci/check --page"]
fn the_case_that_the_address_names_is_open_and_in_view() {
    let dir = fresh();
    assert_eq!(run_in(dir.path(), &["--profile", "tck"]).code, 0);
    let page = dir.path().join("out/index.html");
    with_browser(json!({}), async |browser| {
        browser.open(&page).await;
        browser.click("#more").await;
        let rows =
            "return [...document.querySelectorAll('#list .row code')].map(one => one.textContent)";
        let rows = browser.run(rows).await;
        let rows = rows.as_array().expect("there are rows").clone();
        assert!(rows.len() > 60, "{}", rows.len());
        let seen = "const { top, bottom } = document.querySelector('.row[aria-expanded=true]').getBoundingClientRect();
            return top > -1 && bottom <= innerHeight;";
        let name_open =
            "return document.querySelector('.row[aria-expanded=true] code').textContent";
        for (place, leave) in [(60, true), (5, false), (40, false)] {
            let name = rows[place].as_str().expect("a name");
            if leave {
                browser.0.goto("about:blank").await.expect("it opens");
            }
            let address = format!(
                "file://{}#open={}",
                page.display(),
                name.replace(',', "%2C")
            );
            browser.0.goto(&address).await.expect("it opens");
            assert_eq!(browser.run(name_open).await, name);
            assert_eq!(browser.run(seen).await, true, "{name} is out of view");
        }
        browser.0.goto("about:blank").await.expect("it opens");
        let filtered = format!("file://{}#control=p2p", page.display());
        browser.0.goto(&filtered).await.expect("it opens");
        let top = "return document.getElementById('cases').getBoundingClientRect().top";
        let top = browser.number(top).await;
        assert!((-1.0..100.0).contains(&top), "{top}");
    });
}

#[test]
#[ignore = "needs a browser: ci/check --page"]
fn a_cause_is_a_button_that_shows_its_cases() {
    let dir = fresh();
    assert_eq!(run_in(dir.path(), &["--profile", "tck"]).code, 0);
    let is_in_it = |path: &PathBuf| path.to_string_lossy().contains("~p2p~transient-");
    let failing: Vec<_> = histories(dir.path()).filter(is_in_it).collect();
    failing.iter().for_each(|one| refuse(one, "not today"));
    assert_eq!(call(dir.path(), &["judge", "out"]).code, 1);
    let page = dir.path().join("out/index.html");
    with_browser(json!({}), async |browser| {
        browser.open(&page).await;
        let cause = browser.text(".causes a").await;
        assert_eq!(cause, "control(p2p) & state(transient)");
        browser.click(".causes a").await;
        let shown = browser.text("#shown").await;
        let all = format!("{} of ", failing.len());
        assert!(shown.starts_with(&all), "{shown}");
        let passed = "return document.querySelectorAll('#list .row.passed').length";
        assert_eq!(browser.number(passed).await, 0.0);
        let chosen = browser.text("#chosen").await;
        assert!(chosen.contains("control: p2p"), "{chosen}");
        let current = "return document.querySelectorAll('.causes a[aria-current]').length";
        assert_eq!(browser.number(current).await, 1.0);
    });
}

#[test]
#[ignore = "needs a browser: ci/check --page"]
fn the_keyboard_alone_is_enough() {
    let dir = fresh();
    let case = with_a_failure(dir.path());
    let page = dir.path().join("out/index.html");
    with_browser(json!({}), async |browser| {
        browser.open(&page).await;
        let type_in = async |keys: &str| {
            let active = browser.0.active_element().await.expect("there is one");
            active.send_keys(keys).await.expect("it takes keys");
        };
        const ENTER: &str = "\u{e007}";
        browser
            .run("document.querySelector('.cell a').focus()")
            .await;
        type_in(ENTER).await;
        assert_eq!(browser.run("return document.activeElement.id").await, "all");
        browser
            .run("document.querySelector('#list .row').focus()")
            .await;
        type_in(ENTER).await;
        assert!(browser.text(".panel").await.contains("Timeline"));
        let focused = browser
            .run("return document.activeElement.textContent")
            .await;
        assert!(
            focused.as_str().is_some_and(|text| text.contains(&case)),
            "{focused}"
        );
        type_in("/").await;
        type_in("no such case").await;
        assert!(browser.text("#shown").await.starts_with("0 of "));
    });
}

#[test]
#[ignore = "needs a browser: ci/check --page"]
fn on_a_phone_nothing_is_wider_than_the_screen() {
    let dir = fresh();
    with_a_failure(dir.path());
    let page = dir.path().join("out/index.html");
    let phone = json!({ "mobileEmulation": { "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 1.0 } } });
    with_browser(phone, async |browser| {
        browser.open(&page).await;
        browser
            .run("document.querySelector('#list .row').click()")
            .await;
        browser
            .run("document.querySelectorAll('details').forEach(one => { one.open = true })")
            .await;
        let wide = browser
            .number("return document.documentElement.scrollWidth")
            .await;
        assert!(wide <= 390.0, "{wide}");
    });
}

#[test]
#[ignore = "needs a browser: ci/check --page"]
fn without_its_script_the_verdict_the_grid_and_the_failures_are_seen() {
    let dir = fresh();
    let case = with_a_failure(dir.path());
    let page = file_of(dir.path(), "index.html");
    let (before, _) = page.rsplit_once("<script>").expect("it has a script");
    let bare = dir.path().join("out/bare.html");
    fs::write(&bare, before).expect("there is room");
    with_browser(json!({}), async |browser| {
        browser.open(&bare).await;
        assert!(browser.text(".go").await.contains("Not as expected"));
        assert!(browser.text(".cell.failed").await.contains('✗'));
        browser.click(".cases > summary").await;
        browser.click(".case > summary").await;
        let told = browser.text(".case").await;
        assert!(told.contains(&case) && told.contains("Timeline"), "{told}");
        assert_eq!(browser.number("return [...document.querySelectorAll('.scripted')].filter(one => !one.hidden).length").await, 0.0);
    });
}

/// How long one may wait for a page, and for a filter.
const LOAD: Duration = Duration::from_secs(2);
const FILTER_MS: f64 = 100.0;
/// How often each is measured: the shortest time is that of the page, and not of what else goes on.
const TRIES: usize = 5;
/// Changes a control, and tells how long it takes until the cases are listed and laid out, in milliseconds.
const FILTER: &str = "
    const [selector, value, event] = arguments, box = document.querySelector(selector);
    const times = Array.from({ length: arguments[3] }, () => {
        const began = performance.now();
        box.value = value;
        box.checked = !box.checked;
        box.dispatchEvent(new Event(event));
        document.body.offsetHeight;
        return performance.now() - began;
    });
    return Math.min(...times);";

#[test]
#[ignore = "needs a browser: ci/check --page"]
fn a_page_of_6144_cases_is_small_opens_at_once_and_is_filtered_at_once() {
    let dir = fresh();
    let all = "bullseye,bookworm,trixie,sid";
    let releases = ["--client", all, "--source", all, "--destination", all];
    let made = run_in(dir.path(), &[&["--profile", "tck"], &releases[..]].concat());
    assert_eq!(made.code, 0, "{}", made.err);
    let page = dir.path().join("out/index.html");
    let size = fs::metadata(&page).expect("it is there").len();
    with_browser(json!({}), async |browser| {
        let mut load = Duration::MAX;
        for _ in 0..TRIES {
            let began = Instant::now();
            browser.open(&page).await;
            assert!(!browser.text("#list li").await.is_empty());
            load = load.min(began.elapsed());
        }
        let shown = browser.text("#shown").await;
        let mut longest: f64 = 0.0;
        for (selector, value, event) in [
            ("select[name=condition]", "memory", "change"),
            ("select[name=verdict]", "pass", "change"),
            ("#search", "p2p persistent", "input"),
            ("input[name=source][value=trixie]", "trixie", "change"),
        ] {
            let arguments = [selector, value, event].map(Value::from);
            let arguments = arguments.into_iter().chain([TRIES.into()]).collect();
            let took = browser.0.execute(FILTER, arguments).await.expect(selector);
            longest = longest.max(took.as_f64().expect("a time"));
        }
        eprintln!("{size} bytes, usable in {load:?}, filtered in {longest:.1} ms; {shown}");
        let conditions: String = shown
            .split(" cases, ")
            .nth(1)
            .expect("it counts")
            .chars()
            .filter(char::is_ascii_digit)
            .take(6)
            .collect();
        assert!(shown.starts_with("6,144 of 6,144 cases"), "{shown}");
        assert!(
            conditions.parse::<u32>().expect("a number") >= 61_440,
            "{shown}"
        );
        assert!(
            browser.text("#shown").await.starts_with("256 of 6,144"),
            "{}",
            browser.text("#shown").await
        );
        assert!(size < 10_000_000 && load < LOAD && longest < FILTER_MS);
    });
}
