//! `init`

use super::App;
use super::args::InitArgs;
use super::console::Console;
use super::exit::Exit;
use super::page::Page;
use super::words::pick;
use crate::jobs;

/// Writes the files to start from, and says what to do with them.
pub fn init(app: &App, args: &InitArgs) -> anyhow::Result<Exit> {
    let lang = app.lang_alone();
    let made = jobs::init::init(&args.dir)?;
    let mut page = Page::new(&app.console);
    page.line(pick(lang, "已写入：", "written:"));
    for path in &made {
        page.line(format_args!("  {}", path.display()));
    }
    let shown = args.dir.join("etcp-recon.toml");
    page.line(match lang {
        crate::report::Lang::Zh => {
            format!("下一步：填写 {} 中的 FILL-IN，再导入车牌：etcp-recon plates import FILE", shown.display())
        }
        crate::report::Lang::En => {
            format!("next: fill in FILL-IN in {}, then `etcp-recon plates import FILE`", shown.display())
        }
    });
    Console::print(page.text())?;
    Ok(Exit::Done)
}
